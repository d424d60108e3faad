"""Product pictures for the demo shop: quiet shapes around a label with the product's initial.

They fit any product. The token chooses colours and arrangement, so a product keeps its picture.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.pages import draw_template
from sandbox.product import Products


@dataclass(frozen=True, slots=True)
class _Palette:
    ground: str
    tone: str
    deep: str
    spark: str


_PALETTES = (
    (
        _Palette("#e6eadf", "#c0cbae", "#55704f", "#d9a441"),
        _Palette("#20261d", "#39452f", "#8fa984", "#c4953c"),
    ),
    (
        _Palette("#f3e7de", "#e3c2a9", "#a65f44", "#47676c"),
        _Palette("#2a201b", "#523729", "#cf8e6f", "#75979d"),
    ),
    (
        _Palette("#e5eaef", "#b9c9d7", "#46627e", "#d98f5c"),
        _Palette("#1c2229", "#30414f", "#8aa6c0", "#c98a5f"),
    ),
    (
        _Palette("#ede7ee", "#d0bdd4", "#6d5078", "#d7a94b"),
        _Palette("#241e27", "#43344c", "#ab8fb8", "#c6a050"),
    ),
    (
        _Palette("#f4eddb", "#e4cf97", "#8a6414", "#4f6d66"),
        _Palette("#27231a", "#4d4123", "#cfa850", "#7a9a92"),
    ),
    (
        _Palette("#e0ecea", "#a9cfc9", "#2f6f6b", "#dd8a6a"),
        _Palette("#1a2423", "#2a4745", "#78b5af", "#cf8468"),
    ),
)
"""Each by daylight and by night."""


_ARRANGEMENTS = ("arch", "blocks", "corners", "hills", "horizon", "petals", "ribbons", "rings")


def draw(token: str, initial: str = "", *, dark: bool = False) -> str:
    """An SVG of 400 by 400; the same token gives the same picture. ``dark``: to be seen on a dark page."""
    seed = hashlib.sha256(b"leaf" + token.encode()).digest()
    palette = _PALETTES[seed[0] % len(_PALETTES)][dark]
    arrangement = _ARRANGEMENTS[seed[1] % len(_ARRANGEMENTS)]
    return draw_template("picture.svg", palette=palette, arrangement=arrangement, initial=initial, dark=dark)


def picture_route(products: Products) -> Route:
    """``/pictures/{token}.svg``, and with ``?dark`` the one for dark pages."""

    async def picture(request: Request) -> Response:
        token = request.path_params["token"]
        title = next((product.title for product in await products() if product.token == token), token)
        drawing = draw(token, _initial(title), dark="dark" in request.query_params)
        headers = {"Cache-Control": "public, max-age=86400"}
        return Response(drawing, media_type="image/svg+xml", headers=headers)

    return Route("/pictures/{token}.svg", picture, name="picture")


def _initial(title: str) -> str:
    return next((letter.upper() for letter in title if letter.isalnum()), "")
