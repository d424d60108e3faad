"""Acting on many purchases in a browser: choosing, the dry run, progress to the end, and without scripts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from orchestrator.clerk import Clerk
from orchestrator.scheduler import Job, Scheduler
from statemachine import Action, Trigger
from tests.fixtures.dashboard import PASSWORD, Office


@pytest.fixture
async def clerk(sqlite_office: Office) -> AsyncIterator[Scheduler]:
    """Works through runs, once it is started."""
    worker = Clerk(sqlite_office.database, sqlite_office.settlement)
    scheduler = Scheduler([Job("bulk", worker.run_once, 0.2)])
    yield scheduler
    await scheduler.stop()
    await worker.close()


async def enter(page: Page, office: Office, name: str, path: str) -> None:
    await page.goto(office.base_url + path)
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("#main h1")).to_be_visible()


def box(page: Page, purchase_id: str) -> Locator:
    return page.locator(f"#p-{purchase_id} input[type=checkbox]")


def bar(page: Page) -> Locator:
    return page.get_by_role("form", name="With the chosen purchases")


async def test_choosing_some_with_ranges_and_keys_survives_live_changes_and_reload(
    page: Page, sqlite_office: Office
) -> None:
    ids = [await sqlite_office.purchase("invoiced") for _ in range(6)][::-1]
    await enter(page, sqlite_office, "olle", "/purchases")
    await expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    await expect(bar(page)).to_be_hidden()
    await box(page, ids[0]).click()
    await expect(bar(page)).to_contain_text("1 chosen")
    await box(page, ids[3]).click(modifiers=["Shift"])
    await expect(bar(page)).to_contain_text("4 chosen")
    await box(page, ids[2]).focus()
    await page.keyboard.press("x")
    await expect(bar(page)).to_contain_text("3 chosen")
    await expect(box(page, ids[2])).not_to_be_checked()
    await sqlite_office.move(ids[1], Trigger.PAY)
    await expect(page.locator(f"#p-{ids[1]}")).to_contain_text("paid")
    await expect(box(page, ids[1])).to_be_checked()
    await expect(bar(page)).to_contain_text("3 chosen")
    await page.reload()
    await expect(bar(page)).to_contain_text("3 chosen")
    await expect(box(page, ids[3])).to_be_checked()
    await page.goto(f"{sqlite_office.base_url}/purchases?state=invoiced")
    await expect(bar(page)).to_be_hidden()
    await page.go_back()
    await page.get_by_label("Choose all on this page").check()
    await expect(bar(page)).to_contain_text("6 chosen")
    await page.get_by_role("button", name="Choose none").click()
    await expect(bar(page)).to_be_hidden()
    await expect(box(page, ids[0])).not_to_be_checked()


async def test_the_choice_goes_along_from_page_to_page(page: Page, sqlite_office: Office) -> None:
    for _ in range(51):
        await sqlite_office.purchase("invoiced")
    await enter(page, sqlite_office, "olle", "/purchases")
    await page.get_by_label("Choose all on this page").check()
    await expect(bar(page)).to_contain_text("50 chosen")
    await page.get_by_role("link", name=re.compile("Older")).click()
    await page.locator("tbody tr input[type=checkbox]").check()
    await expect(bar(page)).to_contain_text("51 chosen")
    await bar(page).get_by_role("button", name="Check now").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Check 51 purchases now?")


async def test_all_that_match_are_cancelled_and_what_is_refused_is_shown(
    page: Page, sqlite_office: Office, clerk: Scheduler
) -> None:
    office = sqlite_office
    invoiced = [await office.purchase("invoiced") for _ in range(3)]
    await office.purchase("stocked", customer_name="Stina Lager")
    await enter(page, office, "olle", "/purchases")
    await box(page, invoiced[0]).click()
    await expect(bar(page)).to_contain_text("all 4 that match")
    await bar(page).get_by_label("all 4 that match").check()
    await expect(page.locator("tbody input:checked")).to_have_count(4)
    await bar(page).get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Cancel 3 purchases?")
    await expect(page.get_by_role("heading", name="1 purchase would be refused")).to_be_visible()
    await expect(page.get_by_text("It is paid and stocked: it can no longer be cancelled.")).to_be_visible()
    assert office.settlement.recorded == []
    await page.get_by_label(re.compile("^Why")).fill("the mug is broken")
    await page.get_by_role("button", name="Cancel 3 purchases").click()
    await expect(page.locator(".big-state")).to_contain_text("under way")
    await expect(page.get_by_text("0 of 4")).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    clerk.start()
    await expect(page.locator(".big-state")).to_contain_text("done")
    await expect(page.get_by_text("4 of 4")).to_be_visible()
    assert await page.locator("progress").get_attribute("value") == "4"
    await expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    problem = page.get_by_role("row", name=re.compile("Stina Lager"))
    await expect(problem).to_contain_text("it can no longer be cancelled")
    assert sorted(office.settlement.recorded) == [
        (id_, Action.CANCEL, "operator:olle") for id_ in sorted(invoiced)
    ]
    await page.get_by_role("link", name="Bulk runs").click()
    await expect(page.get_by_role("row", name=re.compile("the mug is broken"))).to_contain_text("3 of 4")
    await page.goto(f"{office.base_url}/purchases")
    await expect(bar(page)).to_be_hidden()


async def test_a_run_is_stopped(page: Page, sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    await enter(page, sqlite_office, "olle", "/purchases")
    await box(page, purchase_id).click()
    await bar(page).get_by_role("button", name="Retry").click()
    await page.get_by_role("button", name="Retry 1 purchase").click()
    await page.get_by_role("button", name="Stop").click()
    await expect(page.locator(".big-state")).to_contain_text("stopped")
    await expect(page.locator(".flash")).to_contain_text("the rest is left as it is")
    assert sqlite_office.settlement.recorded == []


async def test_who_only_looks_sees_no_boxes(page: Page, sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    await enter(page, sqlite_office, "vera", "/purchases")
    await expect(page.locator(f"#p-{purchase_id}")).to_be_visible()
    await expect(box(page, purchase_id)).to_be_hidden()
    await expect(bar(page)).to_have_count(0)


async def test_all_of_it_works_without_scripts(
    browser: Browser, sqlite_office: Office, clerk: Scheduler
) -> None:
    office = sqlite_office
    chosen, _ = await office.purchase("invoiced"), await office.purchase("invoiced")
    async with await browser.new_context(java_script_enabled=False) as context:
        page = await context.new_page()
        await enter(page, office, "olle", "/purchases")
        await box(page, chosen).check()
        await bar(page).get_by_role("button", name="Check now").click()
        await page.get_by_role("button", name="Check 1 purchase now").click()
        await expect(page.get_by_text("0 of 1")).to_be_visible()
        clerk.start()
        async with asyncio.timeout(10):
            while not await page.get_by_text("1 of 1").is_visible():
                await page.reload()
        await page.goto(f"{office.base_url}/purchases?state=invoiced")
        await bar(page).get_by_label("all that match").check()
        await bar(page).get_by_role("button", name="Cancel").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Cancel 2 purchases?")
    assert office.settlement.recorded == [(chosen, Action.CHECK, "operator:olle")]
