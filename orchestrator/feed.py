"""The live feed: what is new in the journal, told to everybody who listens.

One task per process follows the journal's tail, and only while somebody listens; so the cost is one small
query every ``PAUSE`` whatever the number of listeners, and changes made by other processes are seen too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

import structlog

from orchestrator.database import Database, DatabaseUnavailable
from orchestrator.tail import FeedEvent, Tail, newest_id, read_after

log = structlog.get_logger(__name__)

PAUSE = 0.25
"""Seconds between two looks at the journal."""
BACKLOG = 500
"""Who missed more events than this is told to reload instead."""
OVERLAP = 64
"""So many ids before the one last seen are read again on resuming: a lower id may be committed later."""

_QUEUE = 256
_LONGEST_ID = 18
_RETRY = 1.0


class Feed:
    """The events of one database. ``start()`` and ``stop()`` belong to the program's life."""

    def __init__(self, database: Database, pause: float = PAUSE) -> None:
        self._database = database
        self._pause = pause
        self._listeners: set[_Listener] = set()
        self._wanted = asyncio.Event()
        self._tail: Tail | None = None
        self._aiming = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

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
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        for listener in self._listeners:
            listener.end()

    async def position(self) -> str:
        """The id of the newest event: what a page that is drawn after this call has seen."""
        return str(await self._database.read(newest_id))

    async def subscribe(self, after: str | None = None) -> AsyncGenerator[FeedEvent | None, None]:
        """What happens from now on, after what happened since the event ``after``.

        An event may come twice when it was near ``after``, never zero times. None means that events were
        lost to this listener (it was too slow, or away for too long): it has to read everything again.

        Raises:
            DatabaseUnavailable: the journal cannot be read.
        """
        listener = _Listener()
        self._listeners.add(listener)
        try:
            await self._aim()
            told = set[str]()
            async for event in self._missed(after):
                if event is not None:
                    told.add(event.id)
                yield event
            while not isinstance(item := await listener.queue.get(), _End):
                if item is None or item.id not in told:
                    yield item
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._wanted.clear()
                self._tail = None

    async def _missed(self, after: str | None) -> AsyncIterator[FeedEvent | None]:
        if after is None or not after.isascii() or not after.isdigit() or len(after) > _LONGEST_ID:
            return
        first = max(int(after) - OVERLAP, 0)
        events = await self._database.read(read_after, first, BACKLOG + OVERLAP + 1)
        if len(events) > BACKLOG + OVERLAP:
            yield None
            return
        for event in events:
            yield event

    async def _aim(self) -> None:
        """Point the tail at the journal's end before the first listener reads what it missed."""
        async with self._aiming:
            if self._tail is None:
                self._tail = await self._database.read(Tail.at_end)
            self._wanted.set()

    async def _follow(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                await self._look()
            except DatabaseUnavailable as error:
                log.warning("feed.waits", reason=error.message)
                await asyncio.sleep(_RETRY)
            await asyncio.sleep(self._pause)

    async def _look(self) -> None:
        tail = self._tail
        if tail is None:
            return
        for event in await self._database.read(tail.read):
            for listener in self._listeners:
                listener.tell(event)


class _End:
    """In a queue: the feed stops."""


class _Listener:
    """One subscription's queue. When it is full it is emptied, and None says so."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[FeedEvent | _End | None] = asyncio.Queue(_QUEUE)

    def tell(self, event: FeedEvent) -> None:
        if self.queue.full():
            self._empty()
            self.queue.put_nowait(None)
        self.queue.put_nowait(event)

    def end(self) -> None:
        self._empty()
        self.queue.put_nowait(_End())

    def _empty(self) -> None:
        while not self.queue.empty():
            self.queue.get_nowait()
