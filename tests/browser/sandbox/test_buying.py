"""Buying in the demo shop with a browser: with scripts, without, and on a narrow phone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from sandbox.faults import PhoneFaults
from tests.fixtures.sandbox import Scene, invoice_xml, played


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with played() as scene:
        yield scene


async def in_state(page: Page, state: str) -> None:
    await expect(page.locator("html")).to_have_attribute("data-state", state)


async def buy(page: Page, scene: Scene) -> None:
    await page.goto(f"{scene.shop_url}/")
    await page.get_by_role("link", name="Mug & saucer").click()
    await page.locator("#qrcode").click()
    await in_state(page, "address")
    await page.get_by_label("Name").fill("Åsa Öberg")
    await page.get_by_role("button", name="Confirm address").click()
    await in_state(page, "details")
    await page.get_by_role("button", name="Pay").click()
    await in_state(page, "pin")
    for digit in "1357":
        await page.get_by_role("button", name=digit, exact=True).click()
    await in_state(page, "confirmed")


async def test_from_the_shop_to_the_receipt(page: Page, scene: Scene) -> None:
    await buy(page, scene)

    reference = scene.ledger.invoices[0].ers_reference
    await expect(page.locator("[data-ers-reference]")).to_have_text(str(reference))
    assert scene.shop.purchases[0][1]["clientName"] == "Åsa Öberg"


async def test_without_scripts(browser: Browser, scene: Scene) -> None:
    async with await browser.new_context(java_script_enabled=False) as context:
        context.set_default_timeout(10_000)
        await buy(await context.new_page(), scene)

    assert scene.ledger.invoices[0].committed


async def test_digits_count_that_are_tapped_while_the_page_is_loading(page: Page, scene: Scene) -> None:
    reference = await scene.seqr.send_invoice(invoice_xml())
    await page.goto(f"{scene.phone_url}/invoices/{reference}/pin")
    await page.keyboard.type("24")
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false }))")
    await expect(page.get_by_role("img", name="2 of 4 digits entered")).to_be_visible()
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    await expect(page.get_by_role("img", name="0 of 4 digits entered")).to_be_visible()


async def test_the_waiting_page_moves_on_by_itself(page: Page, scene: Scene) -> None:
    scene.shop.asks = False
    reference = await scene.seqr.send_invoice(invoice_xml())
    await page.goto(f"{scene.phone_url}/invoices/{reference}/pin")
    await page.keyboard.type("2468")
    await in_state(page, "waiting")

    await scene.seqr.status(reference, 1)

    await in_state(page, "confirmed")


@pytest.mark.parametrize("entered", ["", "2468"])
async def test_a_purchase_that_seqr_has_forgotten_is_told_of_once(
    page: Page, scene: Scene, entered: str
) -> None:
    """As after a restart of the sandbox, which keeps nothing."""
    scene.sandbox.faults.phone = PhoneFaults(processing_seconds=60)
    reference = await scene.seqr.send_invoice(invoice_xml())
    await page.goto(f"{scene.phone_url}/invoices/{reference}/pin")
    await page.keyboard.type(entered)
    await in_state(page, "processing" if entered else "pin")

    await page.route(
        re.compile(reference),
        lambda route: route.continue_(url=route.request.url.replace(reference, "20200101000000999")),
    )

    await in_state(page, "error")
    await expect(page.get_by_role("heading", name="SEQR does not know this purchase")).to_be_visible()
    assert not await page.locator("[data-wait]").count()


async def test_cancelling_at_the_details(page: Page, scene: Scene) -> None:
    reference = await scene.seqr.send_invoice(invoice_xml())
    await page.goto(f"{scene.phone_url}?r={reference}")

    await page.get_by_role("button", name="Cancel").click()

    await in_state(page, "cancelled")


async def test_the_panel_refreshes_its_invoices(page: Page, scene: Scene) -> None:
    await page.goto(f"{scene.base_url}/sandbox/")

    reference = await scene.seqr.send_invoice(invoice_xml())

    await expect(page.get_by_role("row").filter(has_text=reference)).to_be_visible()


@pytest.mark.parametrize("width", [360, 768, 1440])
async def test_nothing_is_wider_than_the_screen(page: Page, scene: Scene, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    reference = await scene.seqr.send_invoice(invoice_xml(title="A very long name " * 6))
    invoice = f"/sandbox/phone/invoices/{reference}"

    for path in ("/shop/", "/shop/products/set_2", "/sandbox/", "/sandbox/phone", invoice, f"{invoice}/pin"):
        await page.goto(scene.base_url + path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
