"""What live pages are told, made once for all who look."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from jinja2 import Environment

from dashboard.changes import Changes
from dashboard.queries.purchases import Counts, PurchaseRow, read_changed
from orchestrator.database import Database
from orchestrator.tail import Batch, FeedEvent

T = TypeVar("T")

COUNTS_LAST = 1.0
"""Seconds for which what streams tell is not read again, however many look."""

_KEPT_ROWS = 512
_KEPT_SHARED = 256


class Live:
    """Shared by all streams of this process."""

    def __init__(self, database: Database, templates: dict[str, Environment]) -> None:
        self._database = database
        self._templates = templates
        self._changes: WeakKeyDictionary[Batch, _Once[Changes]] = WeakKeyDictionary()
        self._shared: OrderedDict[str, _Once[Any]] = OrderedDict()
        self._counts: Counts | None = None
        self._counted = 0.0
        self._row = lru_cache(_KEPT_ROWS)(self._draw_row)

    async def prepare(self, batch: Batch) -> None:
        """Read what a batch has changed before all who look want to know it at the same time."""
        await self._once(batch).settled()

    async def changes(self, batch: Batch) -> Changes:
        """What a batch has changed in the list, read once for all who look."""
        return await self._once(batch).get()

    async def shared(self, key: str, read: Callable[[], Awaitable[T]], lasts: float = COUNTS_LAST) -> T:
        """What ``read`` returns, read once for all who ask with this key within ``lasts`` seconds.

        The key names all that it depends on: what it is of, and the language if it is text.
        """
        known = self._shared.get(key)
        if known is None or known.age > lasts:
            known = self._shared[key] = _Once(read)
            self._shared.move_to_end(key)
            while len(self._shared) > _KEPT_SHARED:
                self._shared.popitem(last=False)
        found: T = await known.get()
        return found

    def render(self, language: str, template: str, **values: Any) -> str:
        """A piece of a page in one language."""
        return self._templates[language].get_template(template).render(**values)

    def _once(self, batch: Batch) -> _Once[Changes]:
        if batch not in self._changes:
            events = batch.latest
            self._changes[batch] = _Once(lambda: self._read(events))
        return self._changes[batch]

    async def _read(self, latest: dict[str, FeedEvent]) -> Changes:
        """The counts, which cost more than the rows, are those of a second ago while more is to come."""
        begun = time.monotonic()
        known = self._counts if latest and begun - self._counted < COUNTS_LAST else None
        rows, counts = await self._database.read(read_changed, tuple(latest), known)
        if known is None:
            self._counts, self._counted = counts, begun
        return Changes([(latest[row.id].id, row) for row in rows], counts, self._row)

    def _draw_row(self, language: str, row: PurchaseRow) -> str:
        return self.render(language, "purchases/row.html", row=row, changed=True)


class _Once(Generic[T]):
    """Something that is read by the first who asks; the others wait for that answer.

    Who asked first may go away while it is read: the reading goes on without him. An error is not kept.
    """

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._begun = time.monotonic()
        self._task: asyncio.Future[T] | None = None

    @property
    def age(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._begun

    async def get(self) -> T:
        task = self._begin()
        return task.result() if task.done() else await asyncio.shield(task)

    async def settled(self) -> None:
        """Wait until there is an answer or an error, which those who ask then get."""
        await asyncio.wait({self._begin()})

    def _begin(self) -> asyncio.Future[T]:
        if self._task is None or (self._task.done() and self._failed(self._task)):
            self._task = asyncio.ensure_future(self._read())
        return self._task

    @staticmethod
    def _failed(task: asyncio.Future[T]) -> bool:
        return task.cancelled() or task.exception() is not None
