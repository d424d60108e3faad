"""A customer asks to be forgotten: an admin looks, takes the export along and erases, in a browser."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from playwright.async_api import Page, expect

from orchestrator.identity import now
from tests.browser.dashboard.test_people import enter
from tests.fixtures.axe import violations
from tests.fixtures.dashboard import Office

HERE = "/system/customers"


async def test_a_customer_is_looked_for_taken_along_and_erased(
    page: Page, sqlite_office: Office, tmp_path: Path
) -> None:
    done = await sqlite_office.purchase("stocked", at=now() - timedelta(hours=1))
    await sqlite_office.purchase("invoiced")
    await enter(page, sqlite_office, "ada", HERE)
    await page.get_by_label("Phone number").fill("070-000 00 01")
    await page.get_by_role("button", name="Look", exact=True).click()
    await expect(page.locator(".kept tbody tr")).to_have_count(2)
    assert "070" not in page.url
    await expect(page.get_by_role("button", name="Yes, erase for ever")).to_be_hidden()
    async with page.expect_download() as coming:
        await page.get_by_role("button", name="Download as JSON").click()
    await (await coming.value).save_as(tmp_path / "anna.json")
    told = json.loads((tmp_path / "anna.json").read_text())
    assert [one["customer"]["name"] for one in told["purchases"]] == ["Anna Svensson"] * 2
    await page.get_by_text("Erase the customer of 1 purchase").click()
    assert await violations(page) == []
    await page.get_by_role("button", name="Yes, erase for ever").click()
    await expect(page.locator(".flash.bad")).to_contain_text("1 purchase still tells of the customer")
    await page.goto(f"{sqlite_office.base_url}/purchases/{done}")
    await expect(page.locator("aside")).to_contain_text("Erased on")
    await expect(page.locator("main")).not_to_contain_text("Svensson")
