"""The feed at the pace of a page: with pauses in which to sum up, and an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from anyio import Event

from orchestrator.tail import Batch


class Pause:
    """Stands among the batches: a moment has passed since the first of those before it."""


class Tick:
    """Stands among the batches: some time has passed."""


class _Over:
    """No event will come any more."""


T = TypeVar("T")
Paced = AsyncIterator[Batch | Pause | None]


async def paced(events: AsyncIterator[Batch | None], *, pause: float, lifetime: float, stop: Event) -> Paced:
    """The batches, and a Pause ``pause`` seconds after one, at most one in that time.

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


async def ticking(events: Paced, every: float) -> AsyncGenerator[Batch | Pause | Tick | None, None]:
    """The same, and a Tick every so many seconds, for what changes without an event."""
    loop = asyncio.get_running_loop()
    due = loop.time() + every
    coming = asyncio.ensure_future(_next(events))
    try:
        while True:
            await asyncio.wait({coming}, timeout=max(due - loop.time(), 0))
            if loop.time() >= due:
                due = loop.time() + every
                yield Tick()
            if coming.done():
                item = coming.result()
                if isinstance(item, _Over):
                    return
                yield item
                coming = asyncio.ensure_future(_next(events))
    finally:
        coming.cancel()
        await asyncio.wait({coming})


async def _next(events: AsyncIterator[T]) -> T | _Over:
    try:
        return await anext(events)
    except StopAsyncIteration:
        return _Over()
