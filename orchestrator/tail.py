"""The journal's tail: what was added since the last look.

PostgreSQL hands out ids before it commits, so a lower id can become visible after a higher one. Ids that
were skipped are looked for again until they appear or are too old to: their transaction was undone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select

from orchestrator.tables import journal

WINDOW = 64
"""How many ids before the end are known as read or as missing when the tail is first pointed there."""
PATIENCE = 30.0
"""Seconds for which a skipped id is looked for."""

_BATCH = 500
_MOST_MISSING = 1000


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One journal row. ``sequence`` is the purchase's revision after it; ``source`` is None for its first."""

    id: str
    purchase_id: str
    sequence: int
    trigger: str
    source: str | None
    state: str
    actor: str
    detail: str
    at: datetime


class Batch:
    """Events that are told together, lowest id first; a batch is the same object for all who are told it.

    ``latest`` has the newest of each purchase's, lowest id first.
    """

    __slots__ = ("__weakref__", "events", "latest")

    def __init__(self, events: Sequence[FeedEvent]) -> None:
        self.events = tuple(events)
        newest = {event.purchase_id: event for event in self.events}
        self.latest = dict(sorted(newest.items(), key=lambda item: int(item[1].id)))

    @property
    def last(self) -> str:
        """The highest id: whoever was told all of it goes on behind this one."""
        return self.events[-1].id


def newest_id(connection: Connection) -> int:
    """The highest id in the journal, 0 while it is empty."""
    return int(connection.execute(select(func.coalesce(func.max(journal.c.id), 0))).scalar_one())


def read_after(connection: Connection, after: int, limit: int) -> list[FeedEvent]:
    """Events with ids above ``after``, lowest first."""
    rows = connection.execute(_events().where(journal.c.id > after).order_by(journal.c.id).limit(limit))
    return [_event(row) for row in rows]


class Tail:
    """Where one reader is in the journal."""

    def __init__(self, last: int, missing: set[int] | None = None) -> None:
        self._last = last
        self._missing = dict.fromkeys(missing or (), time.monotonic())

    @classmethod
    def at_end(cls, connection: Connection) -> Tail:
        """Behind the newest row that is visible now."""
        last = newest_id(connection)
        window = range(max(last - WINDOW, 0) + 1, last + 1)
        ids = connection.execute(select(journal.c.id).where(journal.c.id >= window.start)).scalars()
        return cls(last, set(window) - set(ids))

    def read(self, connection: Connection) -> list[FeedEvent]:
        """What became visible since the last call, lowest id first."""
        ids = journal.c.id
        new = or_(ids > self._last, ids.in_(self._missing)) if self._missing else ids > self._last
        rows = connection.execute(_events().where(new).order_by(ids).limit(_BATCH)).all()
        self._advance([int(row.id) for row in rows])
        return [_event(row) for row in rows]

    def _advance(self, found: list[int]) -> None:
        now = time.monotonic()
        for id_ in found:
            self._missing.pop(id_, None)
        newest = max([self._last, *found])
        skipped = range(max(self._last, newest - _MOST_MISSING) + 1, newest)
        self._missing |= dict.fromkeys(set(skipped) - set(found), now)
        self._missing = {id_: since for id_, since in self._missing.items() if now - since < PATIENCE}
        self._last = newest


def _events() -> Select[Any]:
    return select(
        journal.c.id,
        journal.c.purchase_id,
        journal.c.sequence,
        journal.c.trigger,
        journal.c.source,
        journal.c.target,
        journal.c.actor,
        journal.c.detail,
        journal.c.at,
    )


def _event(row: Row[Any]) -> FeedEvent:
    columns = list(row)
    return FeedEvent(str(columns[0]), *columns[1:])
