"""Every page there is: nothing keeps people from using it, it fits a phone, and it needs little script."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from tests.fixtures.axe import violations
from tests.fixtures.dashboard import PASSWORD, Office

SCRIPT_BUDGET = 100_000
"""Bytes of script that one page may load in all, as they are before compression."""
NARROWEST = 360


async def sign_in(page: Page, office: Office) -> None:
    await page.goto(f"{office.base_url}/login")
    await page.get_by_label("Name").fill("ada")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(f"{office.base_url}/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.timeout(240)
async def test_nothing_keeps_people_from_using_a_page(
    browser: Browser, sqlite_office: Office, pages: list[str], scheme: Any
) -> None:
    async with await browser.new_context(color_scheme=scheme, locale="en-GB") as context:
        page = await context.new_page()
        await page.goto(f"{sqlite_office.base_url}/login")
        found = await violations(page)
        await sign_in(page, sqlite_office)
        for path in [*pages, "/nothing-here"]:
            await page.goto(sqlite_office.base_url + path)
            found += await violations(page)
        assert found == []


async def test_every_page_fits_the_narrowest_phone(
    browser: Browser, sqlite_office: Office, pages: list[str]
) -> None:
    async with await browser.new_context(viewport={"width": NARROWEST, "height": 740}) as context:
        page = await context.new_page()
        await sign_in(page, sqlite_office)
        too_wide = []
        for path in pages:
            await page.goto(sqlite_office.base_url + path)
            width = await page.evaluate("document.documentElement.scrollWidth")
            if width > NARROWEST:
                too_wide.append((path, width))
        assert too_wide == []


async def test_no_page_loads_much_script(
    context: BrowserContext, sqlite_office: Office, pages: list[str]
) -> None:
    page, weights = await context.new_page(), dict[str, int]()
    await sign_in(page, sqlite_office)
    for path in pages:
        await page.goto(sqlite_office.base_url + path, wait_until="load")
        weights[path] = await page.evaluate(
            "performance.getEntriesByType('resource').filter(entry => entry.initiatorType === 'script')"
            ".reduce((sum, entry) => sum + entry.decodedBodySize, 0)"
        )
    assert max(weights.values()) > 0
    assert {path: weight for path, weight in weights.items() if weight > SCRIPT_BUDGET} == {}


async def test_the_list_is_painted_before_any_script_has_come(
    context: BrowserContext, sqlite_office: Office
) -> None:
    await sqlite_office.purchase("paid")
    page = await context.new_page()
    await sign_in(page, sqlite_office)
    held = asyncio.Event()

    async def hold(route: Any) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/*.js*", hold)
    await page.goto(f"{sqlite_office.base_url}/purchases", wait_until="commit")
    await page.locator("table.purchases tbody tr").wait_for()
    painted = await page.evaluate(
        "new Promise(done => new PerformanceObserver(list => done(list.getEntries().length))"
        ".observe({type: 'paint', buffered: true}))"
    )
    assert painted > 0
    held.set()
