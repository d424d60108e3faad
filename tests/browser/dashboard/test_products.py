"""The product pages in a browser: every action clicked through, levels that move while they are looked at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect
from sqlalchemy import Connection, update

from orchestrator import stock
from orchestrator.identity import now
from orchestrator.stamp import Stamp
from orchestrator.tables import products
from tests.fixtures.dashboard import PASSWORD, Office
from tests.fixtures.shelf import hold

FILE = """\
token,title,price,currency,tax_rate,sku,ean,on_hand,for_sale,bundle
mug,"Mug, blue",159,SEK,25,,,,,
fork,Fork,30,SEK,25,,,5,,
"""


async def sign_in(page: Page, office: Office, path: str = "/products", name: str = "olle") -> None:
    await page.goto(office.base_url + path)
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(office.base_url + path)


def _rename(connection: Connection) -> None:
    connection.execute(update(products).where(products.c.token == "mug").values(title="Mug, green"))


async def test_levels_move_while_they_are_looked_at(page: Page, sqlite_office: Office) -> None:
    await sign_in(page, sqlite_office, name="vera")
    await expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    row = page.locator("#t-mug")
    write = sqlite_office.database.write
    await write(hold, "p1", {"mug": 7}, Stamp("createPurchase", now()))
    await expect(row.locator(".l-reserved")).to_have_text("7")
    await expect(row.locator(".l-free")).to_have_text("3 left")
    await expect(page.locator("#t-set .l-free")).to_have_text("3 left")
    await expect(row.locator(".l-on_hand .changed")).to_have_count(0)
    await write(stock.receive, "mug", 40, "Delivery", "operator:olle", now())
    await expect(row.locator(".l-on_hand")).to_have_text("50")
    await expect(row.locator(".l-free .changed")).to_have_text("43")


async def test_the_list_is_searched_filtered_and_sorted(page: Page, sqlite_office: Office) -> None:
    await sign_in(page, sqlite_office)
    titles = page.locator(".row-link")
    await page.get_by_role("link", name="Price").click()
    await expect(titles).to_have_text(["Set", "Mug", "Spoon"])
    await page.get_by_role("link", name=re.compile("^bundles")).click()
    await expect(titles).to_have_text(["Set"])
    await page.get_by_role("link", name=re.compile("^all")).click()
    await page.get_by_label("Search products").press_sequentially("spo")
    await expect(titles).to_have_text(["Spoon"])
    await expect(page).to_have_url(re.compile("sort=price&down=1&q=spo"))
    await page.reload()
    await expect(titles).to_have_text(["Spoon"])
    await page.go_back()
    await expect(titles).to_have_text(["Set"])


async def test_the_code_is_found_from_the_list_printed_and_copied(
    context: BrowserContext, page: Page, sqlite_office: Office, tmp_path: Path
) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    await sign_in(page, sqlite_office)
    await page.get_by_role("link", name="QR code of Mug").click()
    await expect(page).to_have_url(re.compile("/products/mug#qr$"))
    downloads = (("SVG", "mug.svg", b"<svg "), ("PNG 60 mm", "mug-60mm.png", b"\x89PNG"))
    for name, file, begin in downloads:
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name=name).click()
        download = await downloading.value
        saved = tmp_path / download.suggested_filename
        await download.save_as(saved)
        assert saved.name == file
        assert saved.read_bytes().startswith(begin)
    await page.get_by_role("button", name="Copy the snippet").click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert 'purchaseToken: "mug"' in await page.evaluate("navigator.clipboard.readText()")
    await page.get_by_role("button", name="Copy", exact=True).click()
    copied = page.get_by_label("Link that does on a phone")
    assert await page.evaluate("navigator.clipboard.readText()") == await copied.input_value()


async def test_stock_is_received_counted_and_looked_up(page: Page, sqlite_office: Office) -> None:
    await sign_in(page, sqlite_office, "/products/mug")
    await page.get_by_label("How many came").fill("12")
    await page.get_by_label("Why").first.fill("Delivery")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".flash")).to_have_text("12 pieces received: 22 on hand.")
    await page.get_by_label("Counted on the shelf").fill("20")
    await sqlite_office.database.write(stock.receive, "mug", -1, "Broken", "operator:ada", now())
    await expect(page.locator(".levels dd").first).to_have_text("21")
    await expect(page.get_by_label("Counted on the shelf")).to_have_value("20")
    await page.get_by_label("Why").last.fill("Yearly count")
    await page.get_by_role("button", name="Correct").click()
    await expect(page.get_by_role("alert")).to_contain_text(
        "22 were on hand when you looked; there are 21 now."
    )
    await page.get_by_role("button", name="Correct").click()
    await expect(page.locator(".flash")).to_have_text("The stock is corrected from 21 to 20 on hand.")
    await page.get_by_label("Kind of movement").get_by_role("link", name="Counted").click()
    await expect(page.locator(".movements tbody tr")).to_have_count(1)
    await expect(page.locator(".movements tbody tr")).to_contain_text("Yearly count")


async def test_a_bundle_is_added_and_edited(page: Page, sqlite_office: Office) -> None:
    await sign_in(page, sqlite_office)
    await page.get_by_role("link", name="Add a product").click()
    await page.get_by_label("Token", exact=True).fill("tea-set")
    await page.get_by_label("Title").fill("Tea set")
    await page.get_by_label("Price").fill("199,50")
    await page.get_by_label("Tax rate").fill("25")
    for row, (quantity, token) in enumerate((("2", "mug"), ("1", "mug"), ("3", "spoon"))):
        await page.get_by_role("button", name="Add a part").click()
        await page.get_by_label("How many").nth(row).fill(quantity)
        await page.get_by_label("Token of the product").nth(row).fill(token)
    await expect(page.locator(".part-title").last).to_have_text("Spoon")
    await page.get_by_role("button", name="Add it").click()
    await expect(page.locator("#bundle-problem")).to_contain_text("It names mug twice.")
    await page.get_by_role("button", name="Remove this part").nth(1).click()
    await page.get_by_role("button", name="Add it").click()
    await expect(page.locator(".flash")).to_contain_text("Tea set is added.")
    await expect(page.locator(".parts tbody tr")).to_have_text(
        [re.compile("2 ×.*Mug"), re.compile("3 ×.*Spoon")]
    )
    await page.get_by_role("link", name="Edit").click()
    await page.get_by_label("Price").fill("210")
    await page.get_by_label("Price").press("Enter")
    await expect(page.locator(".flash")).to_contain_text("Purchases that exist already keep the price")
    await expect(page.locator(".sum")).to_contain_text("210")


async def test_two_people_edit_at_once(page: Page, browser: Browser, sqlite_office: Office) -> None:
    await sign_in(page, sqlite_office, "/products/mug/edit")
    async with await browser.new_context(locale="en-GB") as context:
        other = await context.new_page()
        await sign_in(other, sqlite_office, "/products/mug/edit", "ada")
        await other.get_by_label("Title").fill("Mug, blue")
        await other.get_by_label("SKU").fill("M-1")
        await other.get_by_role("button", name="Save").click()
        await expect(other.locator(".flash")).to_contain_text("Saved: Title, SKU.")
    await page.get_by_label("Title").fill("Mug, red")
    await page.get_by_role("button", name="Save").click()
    clashes = page.get_by_role("alert")
    await expect(clashes).to_contain_text("Somebody else changed this product")
    await expect(clashes.locator("tbody tr").first).to_have_text(
        re.compile("Title.*Mug.*Mug, blue.*Mug, red")
    )
    await expect(page.get_by_label("SKU")).to_have_value("M-1")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Mug, red")


async def test_a_file_is_previewed_refused_and_imported(
    page: Page, sqlite_office: Office, tmp_path: Path
) -> None:
    await sign_in(page, sqlite_office)
    await page.get_by_role("link", name="Import CSV").click()
    chosen = tmp_path / "products.csv"
    chosen.write_text(FILE + "x y,,1,SEK,25,,,,,\n")
    await page.get_by_label("CSV file").set_input_files(chosen)
    await page.get_by_role("button", name="Show what it would change").click()
    await expect(page.get_by_text("A file is imported whole or not at all")).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("^Import"))).to_have_count(0)
    await page.get_by_role("link", name="Choose another file").click()
    await page.get_by_label("or paste its text").fill(FILE)
    await page.get_by_role("button", name="Show what it would change").click()
    await sqlite_office.database.write(_rename)
    await page.get_by_role("button", name="Import 2 products").click()
    await expect(page.get_by_role("alert")).to_contain_text("has changed since you looked")
    await page.get_by_role("button", name="Import 2 products").click()
    await expect(page.locator(".flash")).to_have_text("The file is imported: 1 product added, 1 changed.")
    await expect(page.locator(".row-link")).to_have_text(["Fork", "Mug, blue", "Set", "Spoon"])
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Export CSV").click()
    exported = tmp_path / "exported.csv"
    await (await downloading.value).save_as(exported)
    assert 'mug,"Mug, blue",159.00,SEK' in exported.read_text()


@pytest.mark.parametrize("path", ["/catalogue/new", "/products/set/edit"])
async def test_a_bundles_rows_work_without_scripts(
    browser: Browser, sqlite_office: Office, path: str
) -> None:
    async with await browser.new_context(java_script_enabled=False, locale="en-GB") as context:
        page = await context.new_page()
        await sign_in(page, sqlite_office, path)
        rows = page.locator("#parts .part")
        before = await rows.count()
        await page.get_by_label("Title").fill("Half typed")
        await page.get_by_role("button", name="Add a part").click()
        await expect(rows).to_have_count(before + 1)
        await page.get_by_role("button", name="Remove this part").first.click()
        await expect(rows).to_have_count(before)
        await expect(page.get_by_label("Title")).to_have_value("Half typed")
