"""One product: its levels, what moved them, its QR code; receiving and counting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.answer import link, onward, page
from dashboard.desk import Desk, Visit, clean
from dashboard.language import mark
from dashboard.queries.movements import KINDS, MovementPage, read_movements
from dashboard.queries.products import read_waiting, users_of
from dashboard.streams.products import stream_of
from orchestrator import qr, shopkeeper
from orchestrator.catalogue import find, parts_of
from orchestrator.identity import new_id
from orchestrator.product import LARGEST_STOCK, TOKEN, Product
from orchestrator.stock import BookedAlready, Restock, StockError, StockMoved

LONGEST_REASON = 200

_MOST_DIGITS = 10
_MOST_WAITING = 20
_DOTS_PER_MM = 300 / 25.4
_PRINTED = (30, 60, 120)
"""Millimetres: a label, a sign, a poster."""

_SAY_WHY = mark("Say why, in up to 200 characters: a delivery, a breakage, a count.")
_HOW_MANY_CAME = mark("How many? A whole number other than 0; below 0 to take some away.")
_HOW_MANY_THERE = mark("How many are there? A whole number, 0 or more.")
_GONE = mark("There is no product with that token.")


@dataclass(frozen=True, slots=True)
class Print:
    """A size to print a code in: the side in millimetres and pixels, and what ``?scale=`` makes it."""

    millimetres: int
    pixels: int
    scale: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the page of a product reads. ``users`` are the bundles that contain it."""

    product: Product
    parts: list[Product]
    users: list[tuple[str, str]]
    waiting: list[Any]
    movements: MovementPage


def routes(desk: Desk) -> list[BaseRoute]:
    return [
        guard.page(desk, "/products/{token}", show_product),
        guard.form(desk, "/products/{token}/stock", receive_stock),
        guard.form(desk, "/products/{token}/count", correct_stock),
    ]


async def show_product(visit: Visit) -> Response:
    return await _show(visit)


async def receive_stock(visit: Visit) -> Response:
    """Add what was delivered, or take away what was lost."""
    token, change, reason = visit.part("token"), _number(visit, "change"), _reason(visit)
    if not change:
        return await _show(visit, {"change": visit.gettext(_HOW_MANY_CAME)})
    if not reason:
        return await _show(visit, {"change_reason": visit.gettext(_SAY_WHY)})
    try:
        done = await visit.desk.parts.database.write(
            shopkeeper.receive,
            token,
            change,
            reason,
            visit.stamp,
            visit.address,
            clean(visit.fields.get("drawn", "")),
        )
    except StockError as error:
        return await _refused(visit, token, "change", error)
    return onward(visit, f"/products/{token}", _received(visit, change, done))


async def correct_stock(visit: Visit) -> Response:
    """Set what is on hand to what was counted."""
    token, counted, reason = visit.part("token"), _number(visit, "counted"), _reason(visit)
    seen = _number(visit, "seen")
    if counted is None or counted < 0 or seen is None:
        return await _show(visit, {"counted": visit.gettext(_HOW_MANY_THERE)})
    if not reason:
        return await _show(visit, {"counted_reason": visit.gettext(_SAY_WHY)})
    try:
        done = await visit.desk.parts.database.write(
            shopkeeper.correct, token, counted, seen, reason, visit.stamp, visit.address
        )
    except StockError as error:
        return await _refused(visit, token, "counted", error)
    return onward(visit, f"/products/{token}", _counted(visit, done))


def _number(visit: Visit, name: str) -> int | None:
    """A whole number with or without its sign; None for anything else."""
    text = visit.fields.get(name, "").strip().replace("\N{MINUS SIGN}", "-")
    digits = text[1:] if text[:1] in ("+", "-") else text
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else None


def _reason(visit: Visit) -> str:
    """Why; empty when it does not fit."""
    reason = clean(visit.fields.get("reason", ""))
    return reason if len(reason) <= LONGEST_REASON else ""


async def _refused(visit: Visit, token: str, field: str, error: StockError) -> Response:
    """The page again, with what the stock says and with what was typed."""
    found = await visit.desk.parts.database.read(_find, token)
    if isinstance(error, StockMoved):
        problem = visit.gettext(
            "%(seen)s were on hand when you looked; there are %(now)s now. Nothing was changed: "
            "count again, or save again if your count was made just now.",
            seen=error.seen,
            now=error.on_hand,
        )
    elif isinstance(error, BookedAlready):
        problem = visit.gettext(
            "You have booked just this a moment ago. It was not booked a second time: %(now)s are on hand. "
            "If as many came again, press the button once more.",
            now=visit.words.number(error.on_hand),
        )
    elif found.bundle:
        problem = visit.gettext("A bundle has no stock of its own: change the stock of its parts.")
    else:
        problem = visit.gettext(
            "%(now)s are on hand. The stock can be from 0 to %(most)s.",
            now=visit.words.number(found.on_hand),
            most=visit.words.number(LARGEST_STOCK),
        )
    return await _show(visit, {field: problem}, 409 if isinstance(error, BookedAlready | StockMoved) else 422)


def _received(visit: Visit, change: int, done: Restock) -> str:
    told = (
        visit.ngettext(
            "%(num)s piece received: %(now)s on hand.",
            "%(num)s pieces received: %(now)s on hand.",
            change,
            now=done.after,
        )
        if change > 0
        else visit.ngettext(
            "%(num)s piece removed: %(now)s on hand.",
            "%(num)s pieces removed: %(now)s on hand.",
            -change,
            now=done.after,
        )
    )
    return " ".join([told, *_woken(visit, done)])


def _counted(visit: Visit, done: Restock) -> str:
    if done.before == done.after:
        return visit.gettext("The count agrees: %(now)s on hand. Nothing was changed.", now=done.after)
    told = visit.gettext(
        "The stock is corrected from %(before)s to %(now)s on hand.", before=done.before, now=done.after
    )
    return " ".join([told, *_woken(visit, done)])


def _woken(visit: Visit, done: Restock) -> list[str]:
    if not done.woken:
        return []
    return [
        visit.ngettext(
            "A paid purchase that waited for it is looked at again now.",
            "%(num)s paid purchases that waited for it are looked at again now.",
            done.woken,
        )
    ]


async def _show(visit: Visit, problems: dict[str, str] | None = None, status: int = 0) -> Response:
    """The page; with ``problems`` by field of the forms that were sent."""
    token, kind, older = visit.part("token"), visit.asked("kind"), visit.asked("older")
    kind = kind if kind in KINDS else ""
    facts = await visit.desk.parts.database.read(_read, token, kind, older)
    settings, product = visit.desk.parts.settings, facts.product
    content = qr.content(settings, product.token)
    address = f"/products/{product.token}"
    return page(
        visit,
        "products/product.html",
        status or (422 if problems else 200),
        facts=facts,
        product=product,
        low=settings.low_stock,
        problems=problems or {},
        fields=visit.fields,
        drawn=new_id(),
        kind=kind,
        kinds=KINDS,
        earlier=bool(older),
        older=link(address, kind=kind, older=facts.movements.older) if facts.movements.older else "",
        scan_link=qr.seqr_link(content, settings.seqr_app),
        prints=_prints(content),
        snippet=qr.snippet(settings.public_url, product.token, settings.webshop_id),
        stream=stream_of([product, *facts.parts]),
    )


def _prints(content: str) -> list[Print]:
    """Sizes at 300 dots an inch: the nearest whole number of dots a module that is no smaller."""
    side = qr.side(content)
    scales = [min(-int(-size * _DOTS_PER_MM // side), qr.LARGEST_SCALE) for size in _PRINTED]
    return [Print(size, side * scale, scale) for size, scale in zip(_PRINTED, scales, strict=True)]


def _find(connection: Connection, token: str) -> Product:
    # Anything else in an address is not even looked for: a database takes no NUL, for one.
    product = find(connection, token) if TOKEN.fullmatch(token) else None
    if product is None:
        raise HTTPException(404, _GONE)
    return product


def _read(connection: Connection, token: str, kind: str, older: str) -> Facts:
    product = _find(connection, token)
    return Facts(
        product,
        parts_of(connection, product),
        users_of(connection, token),
        read_waiting(connection, token, _MOST_WAITING),
        read_movements(connection, token, kind, older),
    )
