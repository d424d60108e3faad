"""What live pages are told, made once for all who look: a changed row, the counts above the list."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from jinja2 import Environment

from dashboard.queries import purchases
from dashboard.queries.purchases import Counts, PurchaseRow
from orchestrator.database import Database
from orchestrator.tail import FeedEvent

T = TypeVar("T")

COUNTS_LAST = 1.0
"""Seconds for which the counts are not read again, however many pages show them."""

_KEPT_ROWS = 512


@dataclass(frozen=True, slots=True)
class LiveRow:
    """A purchase after an event, and its row as HTML."""

    row: PurchaseRow
    html: str


class Live:
    """Shared by all streams of this process."""

    def __init__(self, database: Database, templates: Environment) -> None:
        self._database = database
        self._templates = templates
        self._rows: OrderedDict[str, _Once[LiveRow | None]] = OrderedDict()
        self._counts: _Once[Counts] = _Once(self._read_counts)

    async def row(self, event: FeedEvent) -> LiveRow | None:
        """The purchase's row after the event; None when it is gone."""
        if event.id not in self._rows:
            self._rows[event.id] = _Once(lambda: self._read_row(event.purchase_id))
            while len(self._rows) > _KEPT_ROWS:
                self._rows.popitem(last=False)
        return await self._rows[event.id].get()

    async def counts(self) -> Counts:
        """How many purchases there are in each state; up to ``COUNTS_LAST`` old."""
        if self._counts.age > COUNTS_LAST:
            self._counts = _Once(self._read_counts)
        return await self._counts.get()

    async def _read_row(self, purchase_id: str) -> LiveRow | None:
        row = await self._database.read(purchases.read_row, purchase_id)
        if row is None:
            return None
        return LiveRow(row, self._templates.get_template("purchases/row.html").render(row=row, changed=True))

    async def _read_counts(self) -> Counts:
        return await self._database.read(purchases.count)


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
        if self._task is None or (self._task.done() and self._failed(self._task)):
            self._task = asyncio.ensure_future(self._read())
        return await asyncio.shield(self._task)

    @staticmethod
    def _failed(task: asyncio.Future[T]) -> bool:
        return task.cancelled() or task.exception() is not None
