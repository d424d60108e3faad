"""All that happened to one purchase, from five tables, newest first.

The texts of SEQR's requests and answers are long; they are read one at a time, when somebody unfolds one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import ClassVar

from sqlalchemy import Connection, select

from orchestrator.tables import exchanges, journal, notifications, outbox, products, stock_movements

MOST_EXCHANGES = 1000
"""The latest SEQR calls that a page shows."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A journal row; source and target are the same where only the attention mark changed."""

    kind: ClassVar[str] = "transition"
    rank: ClassVar[int] = 3
    at: datetime
    sequence: int
    trigger: str
    source: str | None
    target: str
    actor: str
    detail: str


@dataclass(frozen=True, slots=True)
class SeqrCall:
    """One SOAP call."""

    kind: ClassVar[str] = "call"
    rank: ClassVar[int] = 2
    at: datetime
    id: str
    operation: str
    duration_ms: float
    verdict: str
    result_code: int | None
    detail: str


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


@dataclass(frozen=True, slots=True)
class Notified:
    """Somebody called the notification URL."""

    kind: ClassVar[str] = "notified"
    rank: ClassVar[int] = 1
    at: datetime
    sender: str


@dataclass(frozen=True, slots=True)
class MailSent:
    """A mail in the outbox; ``at`` is when it was put there."""

    kind: ClassVar[str] = "mail"
    rank: ClassVar[int] = 5
    at: datetime
    id: str
    mail_kind: str
    state: str
    recipient: str
    subject: str | None


@dataclass(frozen=True, slots=True)
class StockMoved:
    """A change of a product's stock."""

    kind: ClassVar[str] = "stock"
    rank: ClassVar[int] = 4
    at: datetime
    movement: str
    token: str
    title: str
    on_hand: int
    reserved: int


Happening = Transition | SeqrCall | SeqrCalls | Notified | MailSent | StockMoved


@dataclass(frozen=True, slots=True)
class Texts:
    """What was sent and what came back, credentials masked."""

    call: SeqrCall
    request: str
    response: str


def read_timeline(connection: Connection, purchase_id: str) -> list[Happening]:
    """Newest first; what happened at one moment stands in the order of cause and effect."""
    happenings: list[Happening] = [
        *_transitions(connection, purchase_id),
        *_calls(connection, purchase_id),
        *_notified(connection, purchase_id),
        *_mails(connection, purchase_id),
        *_moved(connection, purchase_id),
    ]
    happenings.sort(key=_order, reverse=True)
    return list(_folded(happenings))


def read_texts(connection: Connection, purchase_id: str, exchange_id: str) -> Texts | None:
    """The texts of one call of this purchase."""
    row = connection.execute(
        select(exchanges).where(exchanges.c.id == exchange_id, exchanges.c.purchase_id == purchase_id)
    ).one_or_none()
    if row is None:
        return None
    call = SeqrCall(
        row.started_at, row.id, row.operation, row.duration_ms, row.verdict, row.result_code, row.detail
    )
    return Texts(call, row.request, row.response)


def _order(happening: Happening) -> tuple[datetime, int, int]:
    return happening.at, happening.rank, happening.sequence if isinstance(happening, Transition) else 0


def _folded(happenings: Iterable[Happening]) -> Iterable[Happening]:
    for _, some in groupby(happenings, key=_likeness):
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


def _transitions(connection: Connection, purchase_id: str) -> Sequence[Happening]:
    c = journal.c
    columns = (c.at, c.sequence, c.trigger, c.source, c.target, c.actor, c.detail)
    rows = connection.execute(select(*columns).where(c.purchase_id == purchase_id))
    return [Transition(*row) for row in rows]


def _calls(connection: Connection, purchase_id: str) -> Sequence[Happening]:
    c = exchanges.c
    columns = (c.started_at, c.id, c.operation, c.duration_ms, c.verdict, c.result_code, c.detail)
    statement = select(*columns).where(c.purchase_id == purchase_id)
    rows = connection.execute(statement.order_by(c.started_at.desc()).limit(MOST_EXCHANGES))
    return [SeqrCall(*row) for row in rows]


def _notified(connection: Connection, purchase_id: str) -> Sequence[Happening]:
    c = notifications.c
    rows = connection.execute(select(c.at, c.sender).where(c.purchase_id == purchase_id))
    return [Notified(*row) for row in rows]


def _mails(connection: Connection, purchase_id: str) -> Sequence[Happening]:
    c = outbox.c
    columns = (c.created_at, c.id, c.kind, c.state, c.recipient, c.subject)
    return [
        MailSent(*row) for row in connection.execute(select(*columns).where(c.purchase_id == purchase_id))
    ]


def _moved(connection: Connection, purchase_id: str) -> Sequence[Happening]:
    c = stock_movements.c
    columns = (c.at, c.kind, c.product_token, products.c.title, c.on_hand, c.reserved)
    statement = select(*columns).join(products, products.c.token == c.product_token)
    rows = connection.execute(statement.where(c.purchase_id == purchase_id))
    return [StockMoved(*row) for row in rows]
