"""The demo shop: a product grid, and product pages with our QR code, made as a merchant would make them.

The code is drawn by the drop-in script ``{qr_base_url}/static/seqrQRCode.js``; with JavaScript off, by a
plain ``<img src="{qr_base_url}/qr/{token}.svg">``. A click on it opens the simulated phone.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.faults import Faults
from sandbox.pages import STATIC, PageSafety, render
from sandbox.picture import picture_route
from sandbox.product import Products, ShopProduct
from sandbox.signpost import Signpost

__all__ = ["ShopProduct", "build_shop"]


def build_shop(
    products: Products,
    *,
    shop_name: str,
    qr_base_url: str,
    phone_url: str,
    webshop_id: str,
    panel_url: str | None = "/sandbox/",
    dashboard_url: str | None = "/",
    faults: Faults | None = None,
) -> Starlette:
    """The shop, to be mounted at a prefix such as ``/shop``.

    Args:
        products: what is for sale now; asked anew for every page.
        shop_name: shown at the top of every page.
        qr_base_url: where ``/qr/{token}.svg`` and ``/static/seqrQRCode.js`` are served.
        phone_url: the simulated phone, for example ``/sandbox/phone``.
        webshop_id: the id that SEQR knows this shop by.
        panel_url, dashboard_url: the demo's other rooms; None for one that is not there.
        faults: the sandbox's, so that the shop can say when SEQR is down.
    """
    signpost = Signpost("Shop", None, phone_url, panel_url, dashboard_url, faults)
    shop = _Shop(products, shop_name, qr_base_url.rstrip("/"), phone_url, webshop_id, signpost)
    routes = [
        Route("/", shop.grid, name="grid"),
        Route("/products/{token}", shop.product, name="product"),
        picture_route(products),
        Mount("/static", StaticFiles(directory=STATIC), name="static"),
    ]
    return Starlette(routes=routes, middleware=[Middleware(PageSafety, trusted=(qr_base_url,))])


class _Shop:
    def __init__(
        self,
        products: Products,
        name: str,
        qr_base_url: str,
        phone_url: str,
        webshop_id: str,
        signpost: Signpost,
    ) -> None:
        self._products = products
        self._name = name
        self._qr_base_url = qr_base_url
        self._phone_url = phone_url
        self._webshop_id = webshop_id
        self._signpost = signpost

    async def grid(self, request: Request) -> Response:
        """Everything for sale."""
        return self._render(request, "shop/grid.html", products=await self._products())

    async def product(self, request: Request) -> Response:
        """One product with its QR code."""
        token = request.path_params["token"]
        found = [product for product in await self._products() if product.token == token]
        if not found:
            return self._render(request, "shop/unknown.html", 404)
        return self._render(
            request,
            "shop/product.html",
            product=found[0],
            webshop_id=self._webshop_id,
            qr_base_url=self._qr_base_url,
            phone_link=f"{self._phone_url}?{urlencode({'w': self._webshop_id, 't': token})}",
        )

    def _render(self, request: Request, template: str, /, status: int = 200, **context: object) -> Response:
        signpost = replace(self._signpost, shop=request.scope.get("root_path", "") + "/")
        return render(request, template, status, shop_name=self._name, signpost=signpost, **context)
