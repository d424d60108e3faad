"""The overview in a browser: every kind of link, the button that helps, what a live change leaves alone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import Connection, update

from orchestrator.identity import now
from orchestrator.journal import mark
from orchestrator.purchase import load
from orchestrator.stamp import Stamp
from orchestrator.tables import products
from statemachine import Action, Trigger
from tests.fixtures.axe import violations
from tests.fixtures.dashboard import PASSWORD, Office


def _mark(connection: Connection, purchase_id: str, why: str | None) -> None:
    mark(connection, load(connection, purchase_id), why, Stamp("test", now()))


def _sell_out(connection: Connection) -> None:
    connection.execute(update(products).where(products.c.token == "mug").values(on_hand=0))


@pytest.fixture
async def opened(page: Page, sqlite_office: Office) -> Page:
    """The overview as Olle sees it after he has signed in: two sold, one waits, one failed."""
    for state in ("stocked", "stocked", "invoiced", "failed"):
        await sqlite_office.purchase(state)
    await page.goto(sqlite_office.base_url)
    await page.get_by_label("Name").fill("olle")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    return page


async def _rows_behind(page: Page, selector: str) -> int:
    """Follow a link to its list, count the rows there, and come back."""
    await page.locator(selector).first.click()
    await expect(page.get_by_role("heading", name="Purchases")).to_be_visible()
    count = await page.locator("tr[id^=p-]").count()
    await page.go_back()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return count


async def test_every_kind_of_link_leads_to_what_it_counts(opened: Page, sqlite_office: Office) -> None:
    page = opened
    await expect(page.locator("#sold")).to_contain_text("2 purchases")
    assert await _rows_behind(page, "#sold") == 2
    assert await _rows_behind(page, "#conversion") == 4
    assert await _rows_behind(page, "#time-to-pay") == 2
    assert await _rows_behind(page, "#need-attention") == 0
    for state, number in (("received", 0), ("invoiced", 1), ("paid", 0), ("stocked", 2), ("failed", 1)):
        assert await _rows_behind(page, f"#state-{state} a") == number
    await page.locator(".bars a").last.click()
    await expect(page.locator("tr[id^=p-]")).to_have_count(4)
    await page.go_back()
    await page.get_by_text("As a table").click()
    await page.locator(".as-table tbody tr").last.get_by_role("link").last.click()
    await expect(page.locator("tr[id^=p-]")).to_have_count(2)
    await page.go_back()
    await expect(page.locator("#health .waiting")).to_contain_text("1 customer may pay now")
    await page.locator("#health .waiting a").click()
    await expect(page.locator("tr[id^=p-]")).to_have_count(1)
    await page.go_back()
    await page.locator(".feed a").first.click()
    await expect(page).to_have_url(re.compile("/purchases/[0-9a-f-]{36}$"))


async def test_a_window_stays_in_the_address(opened: Page, sqlite_office: Office) -> None:
    await sqlite_office.purchase("stocked", at=now() - timedelta(days=3))
    await opened.get_by_role("link", name="7 days").click()
    await expect(opened).to_have_url(re.compile(r"/\?window=week$"))
    await expect(opened.locator("#sold")).to_contain_text("3 purchases")
    await opened.reload()
    await expect(opened.locator("#sold")).to_contain_text("Sold in 7 days")
    await opened.get_by_role("link", name="Today").click()
    await expect(opened.locator("#sold")).to_contain_text("2 purchases")


async def test_the_button_helps_and_leads_back(opened: Page, sqlite_office: Office) -> None:
    stuck = await sqlite_office.purchase("invoiced", customer_name="Maja Holm")
    await sqlite_office.database.write(_mark, stuck, "SEQR says FOO.")
    needy = opened.locator(f"#needy-{stuck}")
    await expect(needy).to_contain_text("SEQR says FOO.")
    for scheme in ("light", "dark"):
        await opened.emulate_media(color_scheme=scheme)
        assert await violations(opened) == []
    await needy.get_by_role("button", name="Check now").click()
    await expect(opened.locator(".flash")).to_be_visible()
    await expect(opened.get_by_role("heading", name="Overview")).to_be_visible()
    assert sqlite_office.settlement.recorded == [(stuck, Action.CHECK, "operator:olle")]
    await sqlite_office.database.write(_mark, stuck, None)
    await expect(opened.locator("#attention")).to_contain_text("No purchase needs a hand")


async def test_what_is_sold_out_leads_to_its_product(opened: Page, sqlite_office: Office) -> None:
    await sqlite_office.database.write(_sell_out)
    waiting = await sqlite_office.purchase("paid")
    await sqlite_office.database.write(_mark, waiting, "Paid, but the stock lacks 1 × mug (0 left).")
    await opened.locator(f"#needy-{waiting}").get_by_role("link", name="Receive stock").click()
    await expect(opened).to_have_url(re.compile("/products/mug"))


async def test_a_live_change_keeps_focus_and_what_is_unfolded(opened: Page, sqlite_office: Office) -> None:
    page = opened
    await page.get_by_text("As a table").click()
    sold = page.locator("#sold")
    await sold.focus()
    paid = await sqlite_office.purchase("paid")
    await expect(sold).to_contain_text("3 purchases")
    await expect(sold).to_be_focused()
    await expect(page.locator(".as-table table")).to_be_visible()
    first = page.locator(".feed li").first
    await expect(first).to_contain_text("paid")
    await first.hover()
    await sqlite_office.move(paid, Trigger.STOCK)
    await expect(page.locator("#feed")).to_have_class(re.compile("has-news"))
    await expect(first).to_contain_text("paid")
    await sold.hover()
    await expect(first).to_contain_text("stocked")
    await expect(page.locator(".feed li")).to_have_count(12)


async def test_seqrs_health_is_told(opened: Page) -> None:
    await expect(opened.locator("#health .flows")).to_contain_text("All is quiet")
    await expect(opened.get_by_role("img", name=re.compile("the deadline is 20 s"))).to_be_visible()
