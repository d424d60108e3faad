"""One purchase in a browser: every action, two people at once, and what a live change must leave alone."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.async_api import Browser, BrowserContext, Page, expect
from sqlalchemy import Connection

from orchestrator import note
from orchestrator.identity import now
from orchestrator.journal import mark
from orchestrator.purchase import load
from orchestrator.stamp import Stamp
from statemachine import Action, Trigger
from tests.fixtures import happenings
from tests.fixtures.axe import violations
from tests.fixtures.dashboard import PASSWORD, Office

LACKS = "Paid, but the stock lacks 1 × mug (0 left): restock it, then it goes on by itself; or refund it."


async def enter(page: Page, office: Office, path: str, name: str = "olle") -> None:
    await page.goto(office.base_url + path)
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("#main h1")).to_be_visible()


async def live(page: Page) -> None:
    await expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()


async def test_every_action_of_every_state_is_clicked(page: Page, sqlite_office: Office) -> None:
    recorded = sqlite_office.settlement.recorded
    offered = {
        "received": "check retry cancel",
        "invoiced": "check cancel",
        "paid": "check retry",
        "failed": "check retry",
    }
    await enter(page, sqlite_office, "/products")
    for state, actions in offered.items():
        purchase_id = await sqlite_office.purchase(state)
        for action in actions.split():
            await page.goto(f"{sqlite_office.base_url}/purchases/{purchase_id}")
            if action == "cancel":
                await page.locator("summary", has_text="Cancel").click()
                await page.get_by_label("Why").fill("She rang.")
                await page.get_by_role("button", name="Yes, cancel it").click()
            else:
                await page.locator(f"#do-{action}").click()
            await expect(page.locator(".flash")).to_contain_text(f"done. It is still {state}.")
            assert recorded[-1] == (purchase_id, Action(action), "operator:olle")
    assert sqlite_office.settlement.reasons.count("She rang.") == 2
    done = await sqlite_office.purchase("stocked")
    await page.goto(f"{sqlite_office.base_url}/purchases/{done}")
    for label in ("Check now", "Retry", "Cancel"):
        await expect(page.get_by_role("button", name=label, exact=True)).to_be_disabled()


async def test_the_second_of_two_people_sees_what_the_first_did(
    page: Page, browser: Browser, sqlite_office: Office
) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    here = f"/purchases/{purchase_id}"
    await enter(page, sqlite_office, here, "ada")
    async with await browser.new_context(java_script_enabled=False) as context:
        other = await context.new_page()
        await enter(other, sqlite_office, here, "olle")
        await page.get_by_label("Write a note").fill("Do not cancel, she pays tonight.")
        await page.get_by_role("button", name="Keep the note").click()
        await expect(page.locator(".note-text")).to_have_text("Do not cancel, she pays tonight.")
        await other.locator("summary", has_text="Cancel").click()
        await other.get_by_label("Why").fill("Too late")
        await other.get_by_role("button", name="Yes, cancel it").click()
        refused = other.get_by_role("alert")
        await expect(refused).to_contain_text("Cancel was not done")
        await expect(refused).to_contain_text("ada: Do not cancel, she pays tonight.")
        assert sqlite_office.settlement.recorded == []
        await expect(other.get_by_label("Why")).to_have_value("Too late")
        await other.get_by_role("button", name="Yes, cancel it").click()
        await expect(other.locator(".flash")).to_contain_text("Cancel: done")
    assert len(sqlite_office.settlement.recorded) == 1


async def test_a_live_change_leaves_alone_what_somebody_is_at(page: Page, sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("invoiced", at=now() - timedelta(minutes=5))
    for detail in ("first", "second"):
        await sqlite_office.database.write(happenings.call, purchase_id, detail=detail)
    await sqlite_office.database.write(happenings.asks, purchase_id, 40, now() - timedelta(minutes=4))
    await enter(page, sqlite_office, f"/purchases/{purchase_id}")
    await live(page)
    await page.locator("li.call", has_text="second").get_by_text("Request and answer").click()
    await expect(page.get_by_text("<password>***</password>")).to_be_visible()
    await page.locator("summary", has_text="Each of them").click()
    await page.locator("summary", has_text="Cancel").click()
    await page.get_by_label("Why").fill("She rang")
    await page.get_by_label("Write a note").press_sequentially("Half wri")
    await page.mouse.wheel(0, 900)
    reading = page.locator("li.calls li").nth(5)
    before = await reading.bounding_box()
    await sqlite_office.move(purchase_id, Trigger.PAY)
    await sqlite_office.database.write(_take_note, purchase_id)
    await expect(page.locator("#timeline")).to_contain_text("invoiced → paid")
    await expect(page.locator(".big-state")).to_contain_text("paid")
    await expect(page.get_by_text("<password>***</password>")).to_be_visible()
    await expect(page.locator("details.calls")).to_have_attribute("open", "")
    after = await reading.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 24
    note_ = page.get_by_label("Write a note")
    await expect(note_).to_be_focused()
    await page.keyboard.type("tten")
    await expect(note_).to_have_value("Half written")
    await expect(page.get_by_label("Why")).to_have_value("She rang")
    await expect(page.locator(".changed-since")).to_be_visible()
    await page.get_by_role("button", name="Yes, cancel it").click()
    await expect(page.get_by_role("alert")).to_contain_text("Cancel was not done")
    assert sqlite_office.settlement.recorded == []
    await expect(note_).to_have_value("Half written")
    await page.reload()
    await expect(note_).to_have_value("Half written")


def _take_note(connection: Connection, purchase_id: str) -> None:
    note.add(connection, purchase_id, "Paid at last", Stamp("operator:ada", now()))


def _stuck(connection: Connection, purchase_id: str) -> None:
    mark(connection, load(connection, purchase_id), LACKS, Stamp("reconciler", now()))


async def test_why_it_is_stuck_leads_to_what_helps(page: Page, sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("paid")
    await enter(page, sqlite_office, f"/purchases/{purchase_id}")
    await live(page)
    await sqlite_office.database.write(_stuck, purchase_id)
    stuck = page.get_by_role("note")
    await expect(stuck).to_contain_text("the stock lacks 1 × mug")
    assert await violations(page) == []
    await stuck.get_by_role("link", name="Receive stock of mug").click()
    await expect(page).to_have_url(re.compile("/products/mug"))


async def test_references_are_copied_with_the_keyboard(
    page: Page, context: BrowserContext, sqlite_office: Office
) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    purchase_id = await sqlite_office.purchase("paid", invoice_reference="2015030607", ers_reference="E-1")
    await enter(page, sqlite_office, f"/purchases/{purchase_id}")
    button = page.locator("[data-copy='2015030607']")
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(button).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == "2015030607"
    await expect(button).to_be_focused()
    await expect(button).to_have_text("Copy")


async def test_parts_of_the_timeline_and_links_to_entries_survive(page: Page, sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("paid", at=now() - timedelta(minutes=5))
    call_id = await sqlite_office.database.write(happenings.call, purchase_id)
    await sqlite_office.database.write(
        happenings.deed, purchase_id, "purchase.check", "operator:ada", now(), "Looks slow."
    )
    await enter(page, sqlite_office, f"/purchases/{purchase_id}")
    await page.get_by_role("link", name="What people did").click()
    await expect(page.locator("#timeline > li:not(.day)")).to_have_count(1)
    await expect(page.locator("#timeline")).to_contain_text("Looks slow.")
    await page.get_by_role("link", name="SEQR calls").click()
    await expect(page).to_have_url(re.compile(r"\?show=calls"))
    await page.reload()
    await page.locator("li.call a.at").click()
    await expect(page).to_have_url(re.compile(f"#call-{call_id}$"))
    await expect(page.locator("li:target")).to_contain_text("Sent the invoice to SEQR")
    await page.locator("#do-check").click()
    await expect(page).to_have_url(re.compile(r"\?show=calls"))
    await page.go_back()
    await page.get_by_role("link", name="Everything").click()
    await expect(page.locator("#timeline > li:not(.day)")).to_have_count(5)


async def test_without_scripts_all_but_the_live_changes_works(
    browser: Browser, sqlite_office: Office
) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    await sqlite_office.database.write(happenings.call, purchase_id)
    async with await browser.new_context(java_script_enabled=False) as context:
        page = await context.new_page()
        await enter(page, sqlite_office, f"/purchases/{purchase_id}")
        await expect(page.locator("[data-copy]").first).to_be_hidden()
        await expect(page.get_by_alt_text("QR code of the invoice")).to_be_visible()
        link = page.get_by_role("link", name="Open in the SEQR app")
        await expect(link).to_have_attribute("href", re.compile("^seqr://"))
        await page.get_by_label("Write a note").fill("Hello")
        await page.get_by_role("button", name="Keep the note").click()
        await expect(page.locator(".note-text")).to_have_text("Hello")
        await page.get_by_text("Request and answer").click()
        await page.get_by_role("link", name="Show them").click()
        await expect(page.get_by_text("<password>***</password>")).to_be_visible()
