"""What live pages are told, made once for all who look: a changed row, the counts above the list."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from jinja2 import Environment

from dashboard.queries import purchases
from dashboard.queries.purchases import Counts, PurchaseRow
from orchestrator.database import Database
from orchestrator.tail import FeedEvent

T = TypeVar("T")

COUNTS_LAST = 1.0
"""Seconds for which what streams tell is not read again, however many look."""

_KEPT_ROWS = 512
_KEPT_SHARED = 256


@dataclass(frozen=True, slots=True)
class LiveRow:
    """A purchase after an event, and its row as HTML by language."""

    row: PurchaseRow
    html: dict[str, str]


class Live:
    """Shared by all streams of this process."""

    def __init__(self, database: Database, templates: dict[str, Environment]) -> None:
        self._database = database
        self._templates = templates
        self._rows: OrderedDict[str, _Once[LiveRow | None]] = OrderedDict()
        self._shared: OrderedDict[str, _Once[Any]] = OrderedDict()

    async def row(self, event: FeedEvent) -> LiveRow | None:
        """The purchase's row after the event; None when it is gone."""
        if event.id not in self._rows:
            self._rows[event.id] = _Once(lambda: self._read_row(event.purchase_id))
            while len(self._rows) > _KEPT_ROWS:
                self._rows.popitem(last=False)
        return await self._rows[event.id].get()

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

    async def counts(self) -> Counts:
        """How many purchases there are in each state; up to ``COUNTS_LAST`` old."""
        return await self.shared("counts", lambda: self._database.read(purchases.count))

    def render(self, language: str, template: str, **values: Any) -> str:
        """A piece of a page in one language."""
        return self._templates[language].get_template(template).render(**values)

    async def _read_row(self, purchase_id: str) -> LiveRow | None:
        row = await self._database.read(purchases.read_row, purchase_id)
        if row is None:
            return None
        html = {
            code: self.render(code, "purchases/row.html", row=row, changed=True) for code in self._templates
        }
        return LiveRow(row, html)


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
