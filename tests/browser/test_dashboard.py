"""The dashboard in a browser: what is live, and what a live change must leave alone."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import Connection, insert

from orchestrator.identity import new_id, now
from orchestrator.tables import exchanges
from statemachine import Action, Trigger
from tests.fixtures.dashboard import PASSWORD, Office

SignIn = Callable[[str, str], Awaitable[None]]


@pytest.fixture
def sign_in(page: Page, sqlite_office: Office) -> SignIn:
    async def enter(name: str, path: str) -> None:
        await page.goto(sqlite_office.base_url + path)
        await page.get_by_label("Name").fill(name)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()

    return enter


async def test_a_row_changes_in_place_and_the_counts_follow(
    page: Page, sqlite_office: Office, sign_in: SignIn
) -> None:
    other = await sqlite_office.purchase("invoiced")
    purchase_id = await sqlite_office.purchase("invoiced")
    await sign_in("vera", "/purchases")
    await sqlite_office.move(other, Trigger.PAY)
    row = page.locator(f"#p-{other}")
    await expect(row).to_contain_text("paid")
    await expect(row).to_have_class("changed")
    await expect(page.locator(f"#p-{purchase_id}")).not_to_have_class("changed")
    await expect(page.get_by_role("link", name=re.compile("^1 paid"))).to_be_visible()
    await sqlite_office.move(other, Trigger.STOCK)
    await expect(row).to_contain_text("stocked")


async def test_new_purchases_are_announced_and_do_not_move_the_list(
    page: Page, sqlite_office: Office, sign_in: SignIn
) -> None:
    await sqlite_office.purchase("paid")
    await sign_in("vera", "/purchases?state=paid")
    await sqlite_office.purchase("failed")
    await sqlite_office.purchase("paid")
    await sqlite_office.purchase("paid")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.get_by_role("link", name="2 new purchases: show them").click()
    await expect(page.locator("tbody tr")).to_have_count(3)
    assert page.url.endswith("/purchases?state=paid")


async def test_a_search_finds_while_typing_and_stays_in_the_address(
    page: Page, sqlite_office: Office, sign_in: SignIn
) -> None:
    await sqlite_office.purchase("paid", customer_name="Åsa Öberg")
    await sqlite_office.purchase("paid")
    await sign_in("vera", "/purchases?state=paid")
    await page.get_by_label("Search purchases").press_sequentially("Öberg")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page).to_have_url(re.compile("state=paid&q="))
    await page.reload()
    await expect(page.locator("tbody tr")).to_have_count(1)


def _call(connection: Connection, purchase_id: str) -> None:
    values = {
        "operation": "sendInvoice",
        "verdict": "answered",
        "result_code": 0,
        "detail": "",
        "duration_ms": 12.0,
    }
    texts = {"request": "<sendInvoice/>", "response": "<return/>", "started_at": now()}
    connection.execute(
        insert(exchanges).values({"id": new_id(), "purchase_id": purchase_id, **values, **texts})
    )


async def test_a_purchase_changes_live_and_what_was_unfolded_stays_so(
    page: Page, sqlite_office: Office, sign_in: SignIn
) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    await sqlite_office.database.write(_call, purchase_id)
    await sign_in("olle", f"/purchases/{purchase_id}")
    await page.get_by_text("Request and answer").click()
    await expect(page.get_by_text("<sendInvoice/>")).to_be_visible()
    await page.locator("summary", has_text="Cancel").click()
    await sqlite_office.move(purchase_id, Trigger.PAY)
    await expect(page.locator(".big-state")).to_contain_text("paid")
    await expect(page.get_by_alt_text("QR code of the invoice")).to_have_count(0)
    await expect(page.get_by_text("<sendInvoice/>")).to_be_visible()
    await sqlite_office.move(purchase_id, Trigger.STOCK)
    await expect(page.locator(".big-state")).to_contain_text("stocked")
    await expect(page.locator(".state.current")).to_contain_text("stocked")


async def test_cancelling_asks_first(page: Page, sqlite_office: Office, sign_in: SignIn) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    await sign_in("olle", f"/purchases/{purchase_id}")
    await page.locator("summary", has_text="Cancel").click()
    assert sqlite_office.settlement.recorded == []
    await page.get_by_role("button", name="Yes, cancel it").click()
    await expect(page.locator(".flash")).to_contain_text("Cancel: done")
    assert sqlite_office.settlement.recorded == [(purchase_id, Action.CANCEL, "operator:olle")]


async def test_everything_but_the_live_changes_works_without_scripts(
    browser: Browser, sqlite_office: Office
) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    async with await browser.new_context(java_script_enabled=False) as context:
        page = await context.new_page()
        await page.goto(f"{sqlite_office.base_url}/purchases?q=Anna")
        await page.get_by_label("Name").fill("olle")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("link", name="Anna Svensson").click()
        await page.get_by_role("button", name="Check now").click()
        await expect(page.locator(".flash")).to_contain_text("Check now: done")
    assert sqlite_office.settlement.recorded == [(purchase_id, Action.CHECK, "operator:olle")]
