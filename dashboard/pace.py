"""The feed at the pace of a page: with pauses in which to sum up, and an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from anyio import Event

from orchestrator.tail import FeedEvent


class Pause:
    """Stands among the events: a moment has passed since the first of those before it."""


class _Over:
    """No event will come any more."""


Paced = AsyncIterator[FeedEvent | Pause | None]


async def paced(
    events: AsyncIterator[FeedEvent | None], *, pause: float, lifetime: float, stop: Event
) -> Paced:
    """The events, and a Pause ``pause`` seconds after an event, at most one in that time.

    Ends after ``lifetime`` seconds, and when ``stop`` is set: the browser comes back by itself.
    """
    loop = asyncio.get_running_loop()
    end, due = loop.time() + lifetime, None
    coming = asyncio.ensure_future(_next(events))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        while True:
            wake = end if due is None else min(due, end)
            timeout = max(wake - loop.time(), 0)
            await asyncio.wait({coming, stopping}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if due is not None and loop.time() >= due:
                due = None
                yield Pause()
            if coming.done():
                event = coming.result()
                if isinstance(event, _Over):
                    return
                yield event
                due = due or loop.time() + pause
                coming = asyncio.ensure_future(_next(events))
            elif stopping.done() or loop.time() >= end:
                return
    finally:
        stopping.cancel()
        coming.cancel()
        await asyncio.wait({coming, stopping})


async def _next(events: AsyncIterator[FeedEvent | None]) -> FeedEvent | _Over | None:
    try:
        return await anext(events)
    except StopAsyncIteration:
        return _Over()
