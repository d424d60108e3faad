"""What ``orchestrator demo`` puts beside the program: the sandbox that plays SEQR, and a shop to buy in.

Apart from the composition root, so that ``serve`` never loads the sandbox.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route

from orchestrator import catalogue
from orchestrator.parts import Parts
from orchestrator.product import Product
from orchestrator.rest import create_purchase
from orchestrator.seqr.wsdl import SHIPPED_WSDL
from sandbox.app import Sandbox, SandboxConfig, build_sandbox
from sandbox.product import ShopProduct
from sandbox.shop import build_shop


class Demo:
    """An annex of the program, at ``/sandbox`` and ``/shop`` of the public address."""

    def __init__(self, parts: Parts) -> None:
        sandbox = _sandbox(parts)
        self.soap_url = sandbox.soap_url
        self.routes = _routes(parts, sandbox)
        self.start = sandbox.start
        self.close = sandbox.close


async def products_for_sale(parts: Parts) -> list[ShopProduct]:
    """The catalogue as the demo shop shows it."""
    found = await parts.database.read(catalogue.list_products)
    return [_shop_product(product) for product in found if product.for_sale]


def _sandbox(parts: Parts) -> Sandbox:
    settings = parts.settings
    user, password = settings.create_purchase_user, settings.create_purchase_password
    return build_sandbox(
        SandboxConfig(
            wsdl=SHIPPED_WSDL,
            base_url=f"{settings.public_url}/sandbox",
            create_purchase_url=f"{settings.public_url}{create_purchase.PATH}",
            create_purchase_auth=(user, password.get_secret_value()) if user and password else None,
            webshop_id=settings.webshop_id,
            dashboard_url=f"{settings.public_url}/",
            shop_url=f"{settings.public_url}/shop/",
            products=lambda: products_for_sale(parts),
            zone=settings.zone,
        )
    )


def _routes(parts: Parts, sandbox: Sandbox) -> Sequence[BaseRoute]:
    shop = build_shop(
        lambda: products_for_sale(parts),
        shop_name=parts.settings.shop_name,
        qr_base_url="",
        phone_url="/sandbox/phone",
        webshop_id=parts.settings.webshop_id,
        faults=sandbox.faults,
    )
    return [
        # A mount answers what lies below it; the bare name is what people type.
        Route("/shop", lambda _: RedirectResponse("/shop/")),
        Route("/sandbox", lambda _: RedirectResponse("/sandbox/")),
        Mount("/shop", shop),
        Mount("/sandbox", sandbox.app),
    ]


def _shop_product(product: Product) -> ShopProduct:
    return ShopProduct(
        token=product.token,
        title=product.title,
        price=str(product.price.value),
        currency=product.price.currency,
        available=product.available,
        description=None,
        parts=tuple((part.title, part.quantity) for part in product.bundle),
    )
