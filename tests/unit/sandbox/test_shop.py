"""The demo shop alone, without anything behind it."""

from __future__ import annotations

import httpx2
import pytest
from starlette.applications import Starlette

from sandbox.faults import Faults, NotificationFaults
from sandbox.product import ShopProduct
from sandbox.shop import build_shop

GOODS = [
    ShopProduct("many", "Tea", "89.00", "SEK", 45),
    ShopProduct("few", "Mug", "149.00", "SEK", 3),
    ShopProduct("none", "Book", "229.00", "SEK", 0),
]


def shop(faults: Faults | None = None, dashboard_url: str | None = "/") -> Starlette:
    async def products() -> list[ShopProduct]:
        return GOODS

    return build_shop(
        products,
        shop_name="Shop",
        qr_base_url="",
        phone_url="/sandbox/phone",
        webshop_id="demo",
        faults=faults,
        dashboard_url=dashboard_url,
    )


async def page(app: Starlette, path: str = "/") -> str:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as client:
        return (await client.get(path)).text


@pytest.mark.parametrize(("token", "left"), [("many", "In stock"), ("few", "3 left"), ("none", "Sold out")])
async def test_what_is_left_is_told(token: str, left: str) -> None:
    assert f">{left}<" in await page(shop(), f"/products/{token}")


async def test_a_sold_out_product_does_not_promise_what_happens_next() -> None:
    assert "Confirm your address" in await page(shop(), "/products/few")
    assert "Confirm your address" not in await page(shop(), "/products/none")


async def test_the_shop_says_when_seqr_is_down_or_something_is_switched_on() -> None:
    faults = Faults()
    app = shop(faults)

    assert 'data-standing="up"' in await page(app)
    faults.notifications = NotificationFaults(lost=True)
    assert "Notifications: lost" in await page(app, "/products/few")
    faults.down = True
    assert "SEQR is switched off" in await page(app, "/products/few")
    assert "data-standing" not in await page(shop(faults=None))


async def test_a_shop_without_a_dashboard_leads_to_none() -> None:
    assert "dashboard" in await page(shop())
    assert "dashboard" not in await page(shop(dashboard_url=None))
