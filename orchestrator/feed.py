"""The live feed: what is new in the journal, told to everybody who listens.

One task per process follows the journal's tail, and only while somebody listens; so the cost is one small
query every ``PAUSE`` whatever the number of listeners, and changes made by other processes are seen too. What
one look finds is told as one batch: a listener has as much to do for a hundred changes a second as for four.
A batch without events says once that nothing has come any more: what was put off until then can be told.
Those who came since the last look are told what they missed, also as one batch for all who missed about the
same.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import structlog

from orchestrator.database import Database, DatabaseUnavailable
from orchestrator.tail import Batch, Tail, newest_id, read_after

Batches = AsyncIterator[Batch | None]
"""What a listener is told; None: events were lost."""

log = structlog.get_logger(__name__)

PAUSE = 0.25
"""Seconds from one look at the journal to the next; half of it the feed rests, whatever there is to tell."""
BACKLOG = 500
"""Who missed more events than this is told to reload instead."""
OVERLAP = 64
"""So many ids before the one last seen are read again on resuming, at least: a lower id may be committed
later. And at most twice as many, so that those who come at about the same time begin at the same id."""

_QUEUE = 16
"""Batches: whoever is further behind has lost them."""
_SLICE = 10
"""So many listeners are told at a time; in between the loop is everybody's, for ``_BREATH`` seconds."""
_BREATH = 0.002
_LONGEST_ID = 18
_RETRY = 1.0


class Feed:
    """The events of one database. ``start()`` and ``stop()`` belong to the program's life."""

    def __init__(self, database: Database, pause: float = PAUSE) -> None:
        self.prepare: Callable[[Batch], Awaitable[object]] | None = None
        """Done with each batch before anybody is told of it: what all will need for it. Raises nothing."""
        self._database = database
        self._pause = pause
        self._listeners: set[_Listener] = set()
        self._wanted = asyncio.Event()
        self._tail: Tail | None = None
        self._aiming = asyncio.Lock()
        self._looking = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._is_told = False
        """The last look found something."""

    @property
    def listeners(self) -> int:
        """How many are listening now."""
        return len(self._listeners)

    def start(self) -> None:
        """Begin to follow the journal, as soon as somebody listens."""
        self._task = asyncio.create_task(self._follow(), name="feed")

    async def stop(self) -> None:
        """Stop following; every listener's subscription ends."""
        if self._task is not None:
            async with self._looking:  # what it has begun to read it reads to the end
                self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        for listener in self._listeners:
            listener.end()

    async def position(self) -> str:
        """The id of the newest event: what a page that is drawn after this call has seen."""
        return str(await self._database.read(newest_id))

    async def subscribe(
        self, after: str | None = None, life: Callable[[], Coroutine[Any, Any, None]] | None = None
    ) -> AsyncGenerator[Batch | None, None]:
        """What happens from now on, after what happened since the event ``after``, until ``life`` is over.

        An event may come twice when it was near ``after``, never zero times. None means that events were
        lost to this listener (it was too slow, or away for too long): it has to read everything again.

        Raises:
            DatabaseUnavailable: the journal cannot be read.
        """
        listener = _Listener(_first(after))
        self._listeners.add(listener)
        living = asyncio.create_task(life()) if life is not None else None
        if living is not None:
            living.add_done_callback(lambda _: listener.end())
        try:
            await self._aim()
            while not isinstance(item := await listener.queue.get(), _End):
                yield item
        finally:
            if living is not None:
                living.cancel()
            self._listeners.discard(listener)
            if not self._listeners:
                self._wanted.clear()
                self._tail = None

    async def _aim(self) -> None:
        """Point the tail at the journal's end before the first listener reads what it missed."""
        async with self._aiming:
            if self._tail is None:
                self._tail = await self._database.read(Tail.at_end)
            self._wanted.set()

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wanted.wait()
            begun = loop.time()
            try:
                async with self._looking:
                    await self._look()
            except DatabaseUnavailable as error:
                log.warning("feed.waits", reason=error.message)
                await asyncio.sleep(_RETRY)
            await asyncio.sleep(self._pause - min(loop.time() - begun, self._pause / 2))

    async def _look(self) -> None:
        tail = self._tail
        if tail is None:
            return
        await self._catch_up()
        events = await self._database.read(tail.read)
        if events or self._is_told:
            await self._tell(Batch(events), list(self._listeners))
        self._is_told = bool(events)

    async def _catch_up(self) -> None:
        """Tell those who are new what they missed. What happens from now on they are told with the others."""
        new = defaultdict[int, list[_Listener]](list)
        for listener in self._listeners:
            if listener.first is not None:
                new[listener.first].append(listener)
        for first, group in new.items():
            events = await self._database.read(read_after, first, BACKLOG + 2 * OVERLAP + 1)
            for listener in group:
                listener.first = None
            if events:
                self._is_told = True
                await self._tell(None if len(events) > BACKLOG + 2 * OVERLAP else Batch(events), group)

    async def _tell(self, batch: Batch | None, listeners: Sequence[_Listener]) -> None:
        if batch is not None and self.prepare is not None:
            await self.prepare(batch)
        for begin in range(0, len(listeners), _SLICE):
            for listener in listeners[begin : begin + _SLICE]:
                listener.tell(batch)
            await asyncio.sleep(_BREATH)


def _first(after: str | None) -> int | None:
    """Behind which id to read for somebody who has seen ``after``; None where that is no id."""
    if after is None or not after.isascii() or not after.isdigit() or len(after) > _LONGEST_ID:
        return None
    return max(int(after) // OVERLAP - 1, 0) * OVERLAP


class _End:
    """In a queue: the feed stops."""


class _Listener:
    """One subscription's queue. When it is full it is emptied, and None says so.

    ``first`` is the id behind which it has missed something; None once it was told.
    """

    def __init__(self, first: int | None) -> None:
        self.first = first
        self.queue: asyncio.Queue[Batch | _End | None] = asyncio.Queue(_QUEUE)

    def tell(self, batch: Batch | None) -> None:
        if self.queue.full():
            self._empty()
            self.queue.put_nowait(None)
        self.queue.put_nowait(batch)

    def end(self) -> None:
        self._empty()
        self.queue.put_nowait(_End())

    def _empty(self) -> None:
        while not self.queue.empty():
            self.queue.get_nowait()
