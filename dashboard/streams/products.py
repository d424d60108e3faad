"""Products: the levels of what moved. Read at most once a second, once for all who look.

========== =======================================
event      data
========== =======================================
on_hand-T  what product T has on hand, as HTML
reserved-T what is reserved of it
free-T     what is available of it
========== =======================================

The journal tells what customers move, but not what people receive and count. So the movements of the last
seconds are looked at. What a page shows stands in the address of its stream, so nothing is missed while a
connection is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from sse_starlette import ServerSentEvent

from dashboard.answer import link
from dashboard.desk import Visit
from dashboard.live import COUNTS_LAST
from dashboard.queries.movements import read_moved
from dashboard.streams.event import Stream, number
from orchestrator.catalogue import find_many
from orchestrator.feed import Batches
from orchestrator.identity import now
from orchestrator.product import TOKEN, Product

BEAT = 0.25
"""Seconds between two looks at what is shared."""
REACH = timedelta(seconds=10)
"""So far back movements are looked for: a commit may be late, and so may a stream."""

_MOST_SHOWN = 200
_LEVELS = 3


class Levels(NamedTuple):
    """How much there is of a product."""

    on_hand: int
    reserved: int
    available: int


def stream_of(shown: Iterable[Product]) -> str:
    """The address of the stream of a page that shows these products."""
    levels = (f"{each.token}~{each.on_hand}~{each.reserved}~{each.available}" for each in shown)
    return link("/events", page="products", shown=" ".join(levels))


async def stream(visit: Visit, events: Batches) -> Stream:
    """Asked for with what is ``shown``: tokens and their levels."""
    told = _shown(visit.asked("shown"))
    known = await visit.desk.parts.database.read(find_many, list(told))
    for event in _news(visit, told, known):
        yield event
    async for _ in _beats(events):
        for event in _news(visit, told, await _moved(visit)):
            yield event


async def _moved(visit: Visit) -> Mapping[str, Product]:
    async def read() -> Mapping[str, Product]:
        return await visit.desk.parts.database.read(read_moved, now() - REACH)

    return await visit.desk.live.shared("products-moved", read, lasts=COUNTS_LAST)


def _news(visit: Visit, told: dict[str, Levels], found: Mapping[str, Product]) -> list[ServerSentEvent]:
    """What is not as it was told; it is told now."""
    changed = [(found[token], told[token]) for token in told.keys() & found.keys()]
    return [event for product, before in changed for event in _edited(visit, told, product, before)]


def _edited(visit: Visit, told: dict[str, Levels], product: Product, before: Levels) -> list[ServerSentEvent]:
    after = told[product.token] = Levels(product.on_hand, product.reserved, product.available)
    low = visit.desk.parts.settings.low_stock
    return [
        ServerSentEvent(
            event=f"{name}-{product.token}",
            data=visit.desk.live.render(
                visit.language, "products/level.html", name=name, product=product, low=low, changed=True
            ),
        )
        for name, new, old in zip(("on_hand", "reserved", "free"), after, before, strict=True)
        if new != old
    ]


def _shown(text: str) -> dict[str, Levels]:
    """Tokens and levels in an address; what is none is left out."""
    entries = (word.split("~") for word in text.split()[:_MOST_SHOWN])
    return {
        token: Levels(*map(number, levels))
        for token, *levels in entries
        if TOKEN.fullmatch(token) and len(levels) == _LEVELS
    }


async def _beats(events: Batches) -> AsyncIterator[None]:
    """Every ``BEAT`` seconds until the events end, whatever they are."""
    loop = asyncio.get_running_loop()
    due, coming = loop.time(), _coming(events)
    try:
        while True:
            await asyncio.wait({coming}, timeout=max(due - loop.time(), 0))
            if coming.done():
                if coming.result():
                    return
                coming = _coming(events)
            if loop.time() >= due:
                yield
                due = loop.time() + BEAT
    finally:
        coming.cancel()
        await asyncio.wait({coming})


def _coming(events: Batches) -> asyncio.Future[bool]:
    """Done with the next event; True when there is none any more."""

    async def over() -> bool:
        async for _ in events:
            return False
        return True

    return asyncio.ensure_future(over())
