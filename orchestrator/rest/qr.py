"""``/qr/{token}.svg`` and ``.png``, and the script that puts a code on a merchant's page.

Merchants embed all of it from another origin, so every answer may be read from anywhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from orchestrator import catalogue, qr
from orchestrator.database import Database
from orchestrator.parts import Parts
from orchestrator.product import TOKEN
from orchestrator.settings import Settings

_SCRIPT = Path(__file__).parent.parent / "static" / "seqrQRCode.js"
_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "public, max-age=300",
    "X-Content-Type-Options": "nosniff",
}
_DRAW = {"svg": ("image/svg+xml", qr.svg), "png": ("image/png", qr.png)}

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(parts: Parts) -> list[Route]:
    """The codes and the script. Mount them before a directory at ``/static``."""
    script = _script_endpoint(parts.settings)
    return [
        *(Route(f"/qr/{{token}}.{kind}", _code_endpoint(parts, kind)) for kind in _DRAW),
        Route("/static/seqrQRCode.js", script),
        Route("/seqrQRCode.js", script),
    ]


def _code_endpoint(parts: Parts, kind: str) -> Endpoint:
    media_type, draw = _DRAW[kind]
    drawn = lru_cache(maxsize=256)(draw)

    async def code(request: Request) -> Response:
        """The code of a product that is for sale; ``?scale=`` is the pixels of a module, 1 to 40."""
        token = request.path_params["token"]
        if not await _is_for_sale(parts.database, token):
            return _refusal(
                404, "unknown_purchase_token", "No product or bundle with that token is for sale."
            )
        scale = request.query_params.get("scale", str(qr.SCALE))
        if not _is_scale(scale):
            bounds = f"{qr.SMALLEST_SCALE} to {qr.LARGEST_SCALE}"
            return _refusal(422, "invalid_request", f"scale should be a whole number from {bounds}.")
        return _cached(request, drawn(qr.content(parts.settings, token), int(scale)), media_type)

    return code


async def _is_for_sale(database: Database, token: str) -> bool:
    if not TOKEN.fullmatch(token):
        return False
    product = await database.read(catalogue.find, token)
    return product is not None and product.for_sale


def _is_scale(text: str) -> bool:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(qr.LARGEST_SCALE))):
        return False
    return qr.SMALLEST_SCALE <= int(text) <= qr.LARGEST_SCALE


def _script_endpoint(settings: Settings) -> Endpoint:
    source = script(settings)

    async def drop_in_script(request: Request) -> Response:
        """The drop-in script, knowing this shop's links."""
        return _cached(request, source, "text/javascript")

    return drop_in_script


def script(settings: Settings) -> bytes:
    """The drop-in script with the links of this shop in it; ``{token}`` is left for the page to fill in."""
    mark = "TOKEN-GOES-HERE"
    content = qr.content(settings, mark)
    links = {mode: qr.seqr_link(content, mode).replace(mark, "{token}") for mode in ("live", "demo")}
    shop = {"webshopId": settings.webshop_id, "links": links}
    return _SCRIPT.read_bytes().replace(b"SHOP_OF_THIS_SERVER", json.dumps(shop).encode(), 1)


def _cached(request: Request, body: bytes, media_type: str) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = _HEADERS | {"ETag": etag}
    if etag in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _refusal(status: int, code: str, message: str) -> Response:
    headers = _HEADERS | {"Cache-Control": "no-store"}
    return JSONResponse({"error": code, "message": message}, status, headers)
