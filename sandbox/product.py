"""What the demo shop sells, as the shop and the phone show it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShopProduct:
    """A product or bundle. ``price`` is a decimal string, ``parts`` are (title, quantity)."""

    token: str
    title: str
    price: str
    currency: str
    available: int
    description: str | None = None
    parts: tuple[tuple[str, int], ...] = ()


Products = Callable[[], Awaitable[list[ShopProduct]]]
"""What is for sale now; asked anew for every page."""
