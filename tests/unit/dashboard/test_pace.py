"""The feed at the pace of a page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from dashboard.pace import Tick, ticking
from orchestrator.tail import Batch, FeedEvent

BATCH = Batch([FeedEvent("1", "p", 1, "pay", None, "paid", "test", "", datetime.now(UTC))])


class Feed:
    """Brings what it was given, until it is over."""

    def __init__(self, *items: Batch | None) -> None:
        self.over = asyncio.Event()
        self.is_closed = False
        self._items = items

    async def __aiter__(self) -> AsyncIterator[Batch | None]:
        try:
            for item in self._items:
                yield item
            await self.over.wait()
        finally:
            self.is_closed = True


async def test_ticks_come_without_an_event_and_lose_none() -> None:
    feed = Feed(BATCH, None)
    told = []
    async for item in ticking(aiter(feed), 0.02):
        told.append(item)
        if len(told) == 5:
            feed.over.set()
    assert told[:2] == [BATCH, None]
    assert all(isinstance(item, Tick) for item in told[2:])
    assert feed.is_closed


async def test_who_leaves_a_ticking_stream_closes_the_feed() -> None:
    feed = Feed(BATCH)
    ticked = ticking(aiter(feed), 0.02)
    assert await anext(ticked) is BATCH
    assert isinstance(await anext(ticked), Tick)
    await ticked.aclose()
    assert feed.is_closed
