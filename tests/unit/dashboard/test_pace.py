"""The feed at the pace of a page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from anyio import Event

from dashboard.pace import Pause, Tick, paced, ticking
from orchestrator.tail import Batch, FeedEvent


def event(number: int) -> Batch:
    return Batch([FeedEvent(str(number), "p", number, "pay", None, "paid", "test", "", datetime.now(UTC))])


async def played(*items: Batch | None, closed: asyncio.Event) -> AsyncIterator[Batch | None]:
    try:
        for item in items:
            yield item
        await asyncio.Event().wait()
    finally:
        closed.set()


async def test_events_come_at_once_and_one_pause_after_them() -> None:
    closed = asyncio.Event()
    first, second = event(1), event(2)
    told = [
        item
        async for item in paced(
            played(first, second, None, closed=closed), pause=0.02, lifetime=0.2, stop=Event()
        )
    ]
    assert told[:3] == [first, second, None]
    assert [type(item) for item in told[3:]] == [Pause]


async def test_the_end_of_its_life_closes_the_feed() -> None:
    closed = asyncio.Event()
    assert [item async for item in paced(played(closed=closed), pause=9, lifetime=0.02, stop=Event())] == []
    assert closed.is_set()


async def test_the_feed_ends_the_stream() -> None:
    async def short() -> AsyncIterator[Batch | None]:
        yield None

    assert [item async for item in paced(short(), pause=9, lifetime=9, stop=Event())] == [None]


async def test_the_stop_of_the_process_ends_the_stream() -> None:
    closed, stop = asyncio.Event(), Event()
    stream = paced(played(event(1), closed=closed), pause=9, lifetime=9, stop=stop)
    assert isinstance(await anext(stream), Batch)
    stop.set()
    assert [item async for item in stream] == []
    assert closed.is_set()


async def test_ticks_come_without_an_event_and_lose_none() -> None:
    closed, stop = asyncio.Event(), Event()
    first = event(1)
    source = paced(played(first, closed=closed), pause=9, lifetime=9, stop=stop)
    told = []
    async for item in ticking(source, 0.02):
        told.append(item)
        if len(told) == 4:
            stop.set()
    assert told[0] is first
    assert all(isinstance(item, Tick) for item in told[1:4])
    assert closed.is_set()


async def test_who_leaves_a_ticking_stream_closes_the_feed() -> None:
    closed = asyncio.Event()
    ticked = ticking(paced(played(event(1), closed=closed), pause=9, lifetime=9, stop=Event()), 0.02)
    assert isinstance(await anext(ticked), Batch)
    assert isinstance(await anext(ticked), Tick)
    await ticked.aclose()
    assert closed.is_set()
