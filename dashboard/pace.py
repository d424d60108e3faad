"""The feed at the pace of a page that shows what changes without an event, too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from orchestrator.feed import Batches
from orchestrator.tail import Batch


class Tick:
    """Stands among the batches: some time has passed."""


class _Over:
    """No batch will come any more."""


T = TypeVar("T")


async def ticking(events: Batches, every: float) -> AsyncGenerator[Batch | Tick | None, None]:
    """The batches, and a Tick every so many seconds."""
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
