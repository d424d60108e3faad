"""The list of purchases in a browser: every filter, sort, page, the file, the keyboard, what changes live."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from statemachine import Trigger
from tests.fixtures.dashboard import PASSWORD, Office

DAY = datetime(2026, 3, 10, 12, tzinfo=UTC)


async def sign_in(page: Page, office: Office, path: str = "/purchases", name: str = "vera") -> None:
    await page.goto(office.base_url + path)
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(office.base_url + path)


def rows(page: Page) -> Locator:
    return page.locator("table.purchases tbody tr")


async def _three(office: Office) -> list[str]:
    cheap = await office.purchase("failed", at=DAY, reason="expired", amount=Decimal(10))
    dear = await office.purchase("paid", at=DAY + timedelta(days=1), amount=Decimal(500), attention="Look!")
    other = await office.purchase("stocked", at=DAY + timedelta(days=2), customer_name="Åsa Ek")
    return [cheap, dear, other]


async def test_every_field_of_the_filter_and_every_chip(page: Page, sqlite_office: Office) -> None:
    await _three(sqlite_office)
    await sign_in(page, sqlite_office)
    filters, sheet = page.locator("#filters > summary"), page.locator("#filters")
    show = sheet.get_by_role("button", name="Show")
    await filters.click()
    await sheet.get_by_label("failed").check()
    await sheet.get_by_label("paid").check()
    await show.click()
    await expect(page).to_have_url(re.compile(r"/purchases\?state=paid,failed$"))
    await expect(rows(page)).to_have_count(2)
    await filters.click()
    await sheet.get_by_label("Reason of failure").select_option("expired")
    await sheet.get_by_label("Since").fill("2026-03-10")
    await sheet.get_by_label("Until and with").fill("2026-03-10")
    await sheet.get_by_label("Amount from").fill("5")
    await sheet.get_by_label("Amount to").fill("20")
    await sheet.locator("#f-sort").select_option("amount-low")
    await show.click()
    await expect(rows(page)).to_have_count(1)
    expected = (
        "state=paid,failed&reason=expired&since=2026-03-10&until=2026-03-10&min=5&max=20&sort=amount-low"
    )
    await expect(page).to_have_url(re.compile(re.escape(expected)))
    chips = page.locator(".chips li:not(.clear) a")
    await expect(chips).to_have_count(7)
    for left in range(6, -1, -1):
        await chips.first.click()
        await expect(chips).to_have_count(left)
    await expect(rows(page)).to_have_count(3)
    await page.go_back()
    await expect(chips).to_have_count(1)
    await page.reload()
    await expect(chips).to_have_count(1)
    await page.get_by_role("link", name="Clear").first.click()
    await expect(page).to_have_url(re.compile("/purchases$"))


async def test_tabs_headings_and_the_search(page: Page, sqlite_office: Office) -> None:
    cheap, dear, other = await _three(sqlite_office)
    await sign_in(page, sqlite_office)
    await page.get_by_role("link", name=re.compile("needs attention")).click()
    await expect(rows(page)).to_have_count(1)
    await page.get_by_role("link", name=re.compile("^3 all")).click()
    for heading, order, first in (
        ("Amount", "descending", dear),
        ("Amount", "ascending", cheap),
        ("Age", "descending", other),
        ("Age", "ascending", cheap),
    ):
        await page.get_by_role("columnheader", name=heading).get_by_role("link").click()
        await expect(page.get_by_role("columnheader", name=heading)).to_have_attribute("aria-sort", order)
        await expect(rows(page).first).to_have_id(f"p-{first}")
    await page.get_by_label("Search purchases").press_sequentially("asa")
    await expect(rows(page)).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"/purchases\?q=asa&sort=oldest$"))
    await expect(page.get_by_label("Search purchases")).to_be_focused()
    await page.get_by_label("Search purchases").fill("nobody")
    await expect(page.get_by_text("Nothing found for “nobody”.")).to_be_visible()
    await page.get_by_role("link", name="Show all purchases").click()
    await expect(rows(page)).to_have_count(3)


async def test_pages_go_there_and_back(page: Page, sqlite_office: Office) -> None:
    for number in range(101):
        await sqlite_office.purchase("paid", at=DAY + timedelta(seconds=number))
    await sign_in(page, sqlite_office, "/purchases?state=paid&q=anna")
    for count in (50, 1):
        await page.get_by_role("link", name="Older").click()
        await expect(rows(page)).to_have_count(count)
    await page.get_by_role("link", name="Newer").click()
    await expect(rows(page)).to_have_count(50)
    await page.get_by_role("link", name="To the beginning").click()
    await expect(page).to_have_url(re.compile(r"\?state=paid&q=anna$"))
    await expect(page.get_by_text("← Newer")).not_to_have_attribute("href", re.compile("."))


async def test_the_export_follows_the_search(page: Page, sqlite_office: Office, tmp_path: Path) -> None:
    await _three(sqlite_office)
    await sign_in(page, sqlite_office, name="olle")
    await page.get_by_label("Search purchases").press_sequentially("asa")
    await expect(rows(page)).to_have_count(1)
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Export CSV").click()
    download = await downloading.value
    assert re.fullmatch(r"purchases-demo-[\d-]+\.csv", download.suggested_filename)
    await download.save_as(tmp_path / "list.csv")
    text = (tmp_path / "list.csv").read_text("utf-8-sig")
    assert [line.split(",")[9] for line in text.splitlines()] == ["name", "Åsa Ek"]


async def test_the_keyboard_alone_will_do(page: Page, sqlite_office: Office) -> None:
    cheap, dear, _ = await _three(sqlite_office)
    await sign_in(page, sqlite_office)
    press = page.keyboard.press
    await press("?")
    await expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    await press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await press("/")
    await expect(page.get_by_label("Search purchases")).to_be_focused()
    await press("Escape")
    for key in "jjk":
        await press(key)
    await expect(page.locator("tr.current td.c-who")).to_have_text("Åsa Ek")
    for key in "jj":
        await press(key)
    await expect(page.locator("tr.current")).to_have_id(f"p-{cheap}")
    await press("k")
    await press("o")
    await page.wait_for_url(f"{sqlite_office.base_url}/purchases/{dear}")
    await page.go_back()
    await press("j")
    await press("Enter")
    await page.wait_for_url(re.compile("/purchases/.+"))


async def test_a_row_that_moves_on_stays_and_says_so(page: Page, sqlite_office: Office) -> None:
    moved = await sqlite_office.purchase("invoiced", customer_name="Bo Ek")
    kept = await sqlite_office.purchase("invoiced")
    await sign_in(page, sqlite_office, "/purchases?state=invoiced")
    await expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.locator("#filters > summary").click()
    await page.get_by_label("Amount from").fill("77")
    await page.evaluate("document.querySelectorAll('[sse-swap^=n-]').forEach(each => each.remove())")
    await sqlite_office.move(moved, Trigger.PAY)
    row = page.locator(f"#p-{moved}")
    await expect(row.locator(".out")).to_have_text("now paid")
    await expect(page.locator("#announce")).to_have_text("Bo Ek: now paid")
    await expect(page.get_by_label("Amount from")).to_have_value("77")
    await expect(page.locator(f"#p-{kept} .out")).to_have_count(0)
    await sqlite_office.purchase("invoiced", customer_name="Nils Ny")
    await sqlite_office.purchase("paid")
    await expect(page.get_by_role("link", name="1 new purchase: show it")).to_be_visible()
    await expect(rows(page)).to_have_count(2)
    await page.get_by_role("link", name="1 new purchase: show it").click()
    await expect(rows(page)).to_have_count(2)
    await expect(row).to_have_count(0)


async def test_focus_stays_on_a_row_that_changes(page: Page, sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    await sign_in(page, sqlite_office)
    await expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    await page.keyboard.press("j")
    await sqlite_office.move(purchase_id, Trigger.PAY)
    await expect(page.locator(f"#p-{purchase_id}")).to_contain_text("paid")
    await expect(page.locator(f"#p-{purchase_id} .c-who a")).to_be_focused()
    await expect(page.locator(f"#p-{purchase_id}")).to_have_class(re.compile("current"))


async def test_the_filter_works_without_scripts_on_a_phone(browser: Browser, sqlite_office: Office) -> None:
    await _three(sqlite_office)
    phone = {"width": 360, "height": 740}
    async with await browser.new_context(java_script_enabled=False, viewport=phone) as context:  # type: ignore[arg-type]
        page = await context.new_page()
        await sign_in(page, sqlite_office)
        await page.get_by_label("Search purchases").fill("anna")
        await page.locator("#filters > summary").click()
        await page.locator("#filters").get_by_label("failed").check()
        await page.locator("#filters").get_by_role("button", name="Show").click()
        await expect(page).to_have_url(re.compile(r"/purchases\?state=failed&q=anna$"))
        await expect(rows(page)).to_have_count(1)
        width = await page.locator("html").bounding_box()
        main = await page.locator("main").bounding_box()
        assert width is not None
        assert main is not None
        assert main["width"] <= width["width"] == 360
