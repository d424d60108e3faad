"""All that happened to one purchase, from six tables, newest first, a stretch at a time.

The texts of SEQR's requests and answers are long; they are read one at a time, when somebody unfolds one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import ClassVar

from sqlalchemy import Connection, select

from dashboard.queries import happenings
from dashboard.queries.happenings import Happening, SeqrCall, Transition, Window
from orchestrator.tables import exchanges, purchases

STRETCH = 500
"""So many happenings are shown at a time; equal calls in a row are folded into one after that."""

_SAME_MOMENT = 50
"""So many more are read, since those of one moment are never parted."""

UNFOLDED = 25
"""Of folded calls, so many are listed: the latest."""


class Show(StrEnum):
    """Which happenings; the value stands in the page's address."""

    EVERYTHING = ""
    PEOPLE = "people"
    CALLS = "calls"


@dataclass(frozen=True, slots=True)
class SeqrCalls:
    """Equal calls in a row, such as the questions while a customer makes up his mind; latest first."""

    kind: ClassVar[str] = "calls"
    rank: ClassVar[int] = 2
    calls: tuple[SeqrCall, ...]

    @property
    def at(self) -> datetime:
        return self.calls[0].at

    @property
    def latest(self) -> SeqrCall:
        return self.calls[0]

    @property
    def first(self) -> SeqrCall:
        return self.calls[-1]

    @property
    def listed(self) -> tuple[SeqrCall, ...]:
        """The latest of them."""
        return self.calls[:UNFOLDED]

    @property
    def anchor(self) -> str:
        return f"calls-{self.first.id}"


@dataclass(frozen=True, slots=True)
class Timeline:
    """Newest first; ``earlier`` is the moment to go on from, None at the beginning."""

    items: tuple[Happening | SeqrCalls, ...]
    earlier: datetime | None


@dataclass(frozen=True, slots=True)
class Texts:
    """What was sent and what came back, credentials masked."""

    call: SeqrCall
    request: str
    response: str
    erased: bool
    """Both went with the customer."""


def read_timeline(
    connection: Connection,
    purchase_id: str,
    show: Show = Show.EVERYTHING,
    before: datetime | None = None,
    stretch: int = STRETCH,
) -> Timeline:
    """A stretch of the timeline that ends before a moment. What happened at one moment stands in the order of
    cause and effect."""
    window = Window(purchase_id, before, stretch + _SAME_MOMENT)
    found = sorted(_read(connection, window, show), key=_order, reverse=True)
    if len(found) <= stretch:
        return Timeline(tuple(_folded(found)), None)
    last = found[stretch - 1].at
    return Timeline(tuple(_folded(item for item in found if item.at >= last)), last)


def read_texts(connection: Connection, purchase_id: str, exchange_id: str) -> Texts | None:
    """The texts of one call of this purchase."""
    row = connection.execute(
        select(exchanges, purchases.c.customer_erased_at)
        .join(purchases, purchases.c.id == exchanges.c.purchase_id)
        .where(exchanges.c.id == exchange_id, exchanges.c.purchase_id == purchase_id)
    ).one_or_none()
    if row is None:
        return None
    call = SeqrCall(
        row.started_at, row.id, row.operation, row.duration_ms, row.verdict, row.result_code, row.detail
    )
    erased = row.customer_erased_at is not None
    return Texts(call, row.request, row.response, erased)


def _read(connection: Connection, window: Window, show: Show) -> Sequence[Happening]:
    if show is Show.CALLS:
        return happenings.calls(connection, window)
    if show is Show.PEOPLE:
        return [
            *happenings.transitions(connection, window, people=True),
            *happenings.acted(connection, window),
        ]
    return [
        *happenings.transitions(connection, window),
        *happenings.calls(connection, window),
        *happenings.notified(connection, window),
        *happenings.mails(connection, window),
        *happenings.moved(connection, window),
        *happenings.acted(connection, window),
    ]


def _order(happening: Happening) -> tuple[datetime, int, int]:
    return happening.at, happening.rank, happening.sequence if isinstance(happening, Transition) else 0


def _folded(found: Iterable[Happening]) -> Iterable[Happening | SeqrCalls]:
    for _, some in groupby(found, key=_likeness):
        group = list(some)
        calls = tuple(item for item in group if isinstance(item, SeqrCall))
        if len(calls) > 1:
            yield SeqrCalls(calls)
        else:
            yield from group


def _likeness(happening: Happening) -> tuple[object, ...]:
    """Equal only for calls that ended alike."""
    if isinstance(happening, SeqrCall):
        return happening.operation, happening.verdict, happening.result_code, happening.detail
    return (happening.kind,)
