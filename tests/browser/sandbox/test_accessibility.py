"""axe-core finds nothing on the shop, the phone and the panel, by day and by night, wide and narrow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from sandbox.faults import NotificationFaults, OperationFault, PhoneFaults
from tests.fixtures.sandbox import Scene, invoice_xml, played

AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"
ADDRESS = "?w=demo&t=mug-1"
REPORT = """async (axeCore) => {
  (0, eval)(axeCore);
  const found = await axe.run();
  return found.violations.flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.html}`));
}"""


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with played() as scene:
        yield scene


@pytest.fixture(params=[("light", 1440), ("dark", 390)], ids=["light, wide", "dark, narrow"])
async def page(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A tab in which code may be evaluated, which the pages' own policy forbids."""
    scheme, width = request.param
    async with await browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True
    ) as context:
        context.set_default_timeout(10_000)
        yield await context.new_page()


async def is_clean(page: Page) -> bool:
    """Whether axe-core finds nothing; what it finds fails the test by name."""
    assert await page.evaluate(REPORT, AXE.read_text(encoding="utf-8")) == []
    return True


async def shown(page: Page, state: str) -> None:
    """The phone has come to a state, and its screen is clean."""
    await expect(page.locator("html")).to_have_attribute("data-state", state)
    assert await is_clean(page)


async def enter(page: Page, pin: str) -> None:
    for digit in pin:
        await page.get_by_role("button", name=digit, exact=True).click()


async def test_the_shop(page: Page, scene: Scene) -> None:
    for path in ("/", "/products/mug-1", "/products/set_2", "/products/nothing"):
        await page.goto(scene.shop_url + path)
        assert await is_clean(page)


async def test_the_phone_from_the_code_to_the_receipt(page: Page, scene: Scene) -> None:
    await scene.seqr.send_invoice()
    await page.goto(scene.phone_url)
    await shown(page, "scan")
    await page.goto(scene.phone_url + ADDRESS)
    await shown(page, "address")
    await page.get_by_role("button", name="Confirm address").click()
    await shown(page, "details")
    await page.get_by_role("button", name="Pay").click()
    await shown(page, "pin")
    await enter(page, "0000")
    await expect(page.get_by_role("heading", name="That PIN is wrong")).to_be_visible()
    await shown(page, "pin")
    await enter(page, "1357")
    await shown(page, "confirmed")


async def test_the_phone_when_it_ends_otherwise(page: Page, scene: Scene) -> None:
    cancelled, refused, given_back, paid = [await scene.seqr.send_invoice() for _ in range(4)]
    scene.ledger.cancel(cancelled)
    scene.ledger.fail(refused)
    scene.ledger.reversal_seconds = 0
    scene.ledger.pay(given_back)
    scene.ledger.reversal_seconds = 600
    scene.ledger.pay(paid)
    unacknowledged = await scene.seqr.send_invoice(invoice_xml().replace("NO_ACK", "REQUIRE_ACK"))

    for reference, state in (
        (cancelled, "cancelled"),
        (refused, "refused"),
        (given_back, "reversed"),
        (paid, "waiting"),
        (unacknowledged, "acknowledging"),
    ):
        await page.goto(f"{scene.phone_url}/invoices/{reference}")
        await shown(page, state)


async def test_the_phone_when_the_shop_takes_no_order(page: Page, scene: Scene) -> None:
    for code, status in (("OUT_OF_STOCK", 409), ("SYSTEM_ERROR", 503), ("UNAUTHORIZED", 401)):
        scene.shop.refusal = (status, {"errorCode": code, "message": "No."})
        await page.goto(scene.phone_url + ADDRESS)
        await page.get_by_role("button", name="Confirm address").click()
        await shown(page, "error")
    wrong = {"errorCode": "INVALID_REQUEST", "message": "No.", "fields": {"zip": "is odd"}}
    scene.shop.refusal = (422, wrong)
    await page.goto(scene.phone_url + ADDRESS)
    await page.get_by_role("button", name="Confirm address").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await shown(page, "address")


async def test_the_panel(page: Page, scene: Scene) -> None:
    await page.goto(f"{scene.base_url}/sandbox/")
    assert await is_clean(page)
    await scene.seqr.send_invoice()
    scene.ledger.pay(await scene.seqr.send_invoice())
    scene.faults.set("sendInvoice", OperationFault())
    scene.faults.notifications = NotificationFaults(lost=True)
    scene.faults.phone = PhoneFaults(refused=True)
    await page.reload()
    assert await is_clean(page)
    await page.get_by_role("button", name="Switch SEQR off").click()
    await expect(page.get_by_role("heading", name="SEQR is down")).to_be_visible()
    await page.get_by_text("Delays, codes, how often").click()
    assert await is_clean(page)
    await page.goto(scene.phone_url)
    await shown(page, "scan")
