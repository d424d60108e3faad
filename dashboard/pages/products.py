"""What is for sale, and how much of it there is."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.answer import link, page
from dashboard.desk import Desk, Visit
from dashboard.language import mark
from dashboard.queries.products import SHOWN, SORTS, Filter, Order, ProductPage, read_page
from dashboard.streams.event import number
from dashboard.streams.products import stream_of

LONGEST_SEARCH = 200
_MOST_PAGES = 100_000

_LABELS = {
    "": mark("all"),
    "sale": mark("for sale"),
    "low": mark("low"),
    "out": mark("sold out"),
    "bundles": mark("bundles"),
    "withdrawn": mark("not for sale"),
}
_HEADS = {
    "title": mark("Product"),
    "token": mark("Token"),
    "on_hand": mark("On hand"),
    "reserved": mark("Reserved"),
    "available": mark("Available"),
    "price": mark("Price"),
}
_DOWN_FIRST = frozenset({"on_hand", "reserved", "price"})
"""Whoever sorts by these looks for the largest."""


@dataclass(frozen=True, slots=True)
class Tab:
    """One filter above the list."""

    key: str
    label: str
    count: int
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Head:
    """One column's head, which sorts by it. ``sorted`` is what ``aria-sort`` says, empty for none."""

    key: str
    label: str
    address: str
    sorted: str


def routes(desk: Desk) -> list[BaseRoute]:
    return [guard.page(desk, "/products", show_products)]


async def show_products(visit: Visit) -> Response:
    """The list, as its address says: filter, search, order and page."""
    which, order = wanted(visit)
    at = min(max(number(visit.asked("page")), 1), _MOST_PAGES)
    low = visit.desk.parts.settings.low_stock
    found = await visit.desk.parts.database.read(read_page, which, order, at, low)
    return page(
        visit,
        "products/list.html",
        which=which,
        order=order,
        found=found,
        low=low,
        tabs=_tabs(which, order, found),
        heads=_heads(which, order),
        before=_address(which, order, at - 1) if at > 1 else "",
        after=_address(which, order, at + 1) if found.more else "",
        stream=stream_of(found.rows),
    )


def wanted(visit: Visit) -> tuple[Filter, Order]:
    """Filter and order in the address; what does not exist is none."""
    show, by = visit.asked("show"), visit.asked("sort")
    which = Filter(show if show in SHOWN else "", visit.asked("q")[:LONGEST_SEARCH])
    order = Order(by, visit.asked("down") == "1") if by in SORTS else Order()
    return which, order


def _address(which: Filter, order: Order, at: int = 1) -> str:
    by = "" if order == Order() else order.by
    down = "1" if order.down else ""
    return link("/products", show=which.show, q=which.q, sort=by, down=down, page=str(at) if at > 1 else "")


def _tabs(which: Filter, order: Order, found: ProductPage) -> list[Tab]:
    return [
        Tab(key, label, found.counts[key], _address(Filter(key, which.q), order), which.show == key)
        for key, label in _LABELS.items()
    ]


def _heads(which: Filter, order: Order) -> list[Head]:
    return [_head(which, order, key, label) for key, label in _HEADS.items()]


def _head(which: Filter, order: Order, key: str, label: str) -> Head:
    chosen = order.by == key
    down = not order.down if chosen else key in _DOWN_FIRST
    is_sorted = ("descending" if order.down else "ascending") if chosen else ""
    return Head(key, label, _address(which, Order(key, down)), is_sorted)
