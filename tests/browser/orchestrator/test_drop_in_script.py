"""The drop-in script on a merchant's page: another origin, a strict policy, a desk and a phone."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from orchestrator.database import Database
from tests.fixtures.codes import serving_codes
from tests.fixtures.sandbox import served

NO_CODE = "No SEQR code is available for this product."


@asynccontextmanager
async def merchants_page(codes: str, **options: str) -> AsyncIterator[str]:
    """A merchant's page with two places for the code, that trusts ``codes`` for scripts and pictures."""
    policy = f"default-src 'none'; script-src 'self' {codes}; img-src {codes}"
    call = json.dumps({"selector": ".code", **options})

    async def page(request: Request) -> Response:
        html = (
            f'<!DOCTYPE html><title>Shop</title><script src="{codes}/static/seqrQRCode.js"></script>'
            '<script src="/shop.js"></script><div class="code" id="first"></div><div class="code">soon</div>'
        )
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    async def script(request: Request) -> Response:
        return Response(f"seqrQRCode.qrCode({call});", media_type="text/javascript")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        app = Starlette(routes=[Route("/", page), Route("/shop.js", script)])
        async with served(app, listening):
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


async def warnings_of(page: Page, address: str) -> list[str]:
    """Open a page; returns a list that fills with what it warns of."""
    warned: list[str] = []
    page.on("console", lambda message: warned.append(message.text) if message.type == "warning" else None)
    await page.goto(address)
    return warned


async def width_of_picture(page: Page) -> Any:
    picture = page.locator("#first img")
    await expect(picture).to_be_visible()
    return await picture.evaluate("async image => { await image.decode(); return image.naturalWidth; }")


async def test_at_a_desk_the_code_is_a_picture(page: Page, sqlite_only: Database) -> None:
    async with (
        serving_codes(sqlite_only) as codes,
        merchants_page(codes, purchaseToken="mug", webshopId="demo") as address,
    ):
        warned = await warnings_of(page, address)
        assert await width_of_picture(page) > 100
        await expect(page.locator(".code img")).to_have_count(2)
        await expect(page.locator("#first img")).to_have_attribute(
            "alt", "SEQR code: scan it with the SEQR app to buy"
        )
        await expect(page.locator(".code a")).to_have_count(0)
        assert warned == []


async def test_on_a_phone_the_code_is_a_link_to_the_app(browser: Browser, sqlite_only: Database) -> None:
    async with (
        serving_codes(sqlite_only) as codes,
        merchants_page(codes, purchaseToken="mug") as live,
        merchants_page(codes, purchaseToken="mug", mode="demo") as demo,
        await browser.new_context(has_touch=True, is_mobile=True) as phone,
    ):
        page = await phone.new_page()
        await page.goto(live)
        assert await width_of_picture(page) > 100
        link = page.locator("#first a")
        await expect(link).to_have_attribute("href", "seqr://SEQR.SE/000/wss?w=demo&t=mug")
        await page.goto(demo)
        await expect(link).to_have_attribute("href", "seqr-demo://SEQR.SE/000/wss?w=demo&t=mug")


async def test_a_template_with_a_web_address_is_a_link_everywhere(page: Page, sqlite_only: Database) -> None:
    template = "http://phone.example/scan?w={webshop_id}&t={token}"
    async with (
        serving_codes(sqlite_only, qr_template=template) as codes,
        merchants_page(codes, purchaseToken="mug", mode="demo") as address,
    ):
        await page.goto(address)
        await expect(page.locator("#first a")).to_have_attribute(
            "href", "http://phone.example/scan?w=demo&t=mug"
        )


async def test_a_product_that_is_not_for_sale_says_so(page: Page, sqlite_only: Database) -> None:
    async with (
        serving_codes(sqlite_only) as codes,
        merchants_page(codes, purchaseToken="old", webshopId="another") as address,
    ):
        warned = await warnings_of(page, address)
        await expect(page.locator("#first")).to_have_text(NO_CODE)
        assert any('no code for purchaseToken "old"' in text for text in warned)
        assert any('webshopId should be "demo"' in text for text in warned)
