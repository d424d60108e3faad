"""Product pictures for the demo shop: calm still lifes drawn from the product's token."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from sandbox.pages import draw_template


@dataclass(frozen=True, slots=True)
class _Palette:
    wall: str
    light: str
    table: str
    body: str
    shade: str
    accent: str


_PALETTES = (
    _Palette("#efe3d3", "#f8efe2", "#d9bf9f", "#b4573a", "#8f402a", "#f3d9b1"),
    _Palette("#dfe6dd", "#edf2ea", "#b9a88c", "#4d6b57", "#38513f", "#e8c98f"),
    _Palette("#e4dfe8", "#f2eef4", "#c4b0a4", "#6a5a86", "#4f4268", "#e9c3a4"),
    _Palette("#dce6ea", "#ecf3f5", "#c9b79c", "#3f6c7d", "#2e5361", "#f0cf9c"),
    _Palette("#f1dfd6", "#f9ede7", "#cdb193", "#c08a3e", "#98692a", "#7a8f6a"),
    _Palette("#e8e4d8", "#f4f1e8", "#bfa583", "#7d4f50", "#5f3a3c", "#d9c9a3"),
)


_SHAPES = ("bag", "books", "bottle", "box", "cup", "vase")
_TELLING = {
    "bag": ("bag", "bean", "coffee", "flour", "pack", "chocolate", "candy"),
    "books": ("book", "card", "paper", "print", "poster", "notebook"),
    "bottle": ("bottle", "honey", "juice", "oil", "soap", "syrup", "wine"),
    "box": ("box", "bundle", "gift", "kit", "set"),
    "cup": ("bowl", "cup", "espresso", "jug", "mug", "saucer", "tea"),
    "vase": ("candle", "flower", "lamp", "plant", "pot", "vase"),
}


def draw(token: str) -> str:
    """An SVG of 480 by 360; the same token gives the same picture."""
    seed = hashlib.sha256(token.encode()).digest()
    return draw_template(
        "picture.svg",
        palette=_PALETTES[seed[0] % len(_PALETTES)],
        shape=_told_shape(token) or _SHAPES[seed[1] % len(_SHAPES)],
        sun={"x": 90 + seed[2] % 300, "y": 70 + seed[3] % 60, "r": 46 + seed[4] % 30},
    )


def _told_shape(token: str) -> str | None:
    """The shape that the token's own words ask for, the last word first: a mug set is a set."""
    for word in reversed(re.findall(r"[a-z]+", token.lower())):
        for shape, words in _TELLING.items():
            if word in words or word.removesuffix("s") in words:
                return shape
    return None
