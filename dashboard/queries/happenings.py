"""What can happen to a purchase: the kinds of entries of its timeline, and where each is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Connection, Select, Table, or_, select

from orchestrator.tables import audit, exchanges, journal, notifications, outbox, products, stock_movements

_PEOPLE = ("operator:%", "api:%", "cli")
"""Actors who are people, or programs on their behalf."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A journal row; source and target are the same where the state stayed."""

    kind: ClassVar[str] = "transition"
    rank: ClassVar[int] = 3
    at: datetime
    sequence: int
    trigger: str
    source: str | None
    target: str
    actor: str
    detail: str

    @property
    def anchor(self) -> str:
        return f"j-{self.sequence}"


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

    @property
    def anchor(self) -> str:
        return f"call-{self.id}"


@dataclass(frozen=True, slots=True)
class Notified:
    """Somebody called the notification URL."""

    kind: ClassVar[str] = "notified"
    rank: ClassVar[int] = 1
    at: datetime
    id: str
    sender: str

    @property
    def anchor(self) -> str:
        return f"notified-{self.id}"


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

    @property
    def anchor(self) -> str:
        return f"mail-{self.id}"


@dataclass(frozen=True, slots=True)
class StockMoved:
    """A change of a product's stock."""

    kind: ClassVar[str] = "stock"
    rank: ClassVar[int] = 4
    at: datetime
    id: str
    movement: str
    token: str
    title: str
    on_hand: int
    reserved: int

    @property
    def anchor(self) -> str:
        return f"stock-{self.id}"


@dataclass(frozen=True, slots=True)
class Acted:
    """Somebody did something that left no row in the journal, such as asking SEQR."""

    kind: ClassVar[str] = "acted"
    rank: ClassVar[int] = 0
    at: datetime
    id: str
    action: str
    actor: str
    detail: str

    @property
    def anchor(self) -> str:
        return f"acted-{self.id}"


Happening = Transition | SeqrCall | Notified | MailSent | StockMoved | Acted


@dataclass(frozen=True, slots=True)
class Window:
    """Of which purchase, before when (None for up to now), and how many of each kind at most."""

    purchase_id: str
    before: datetime | None
    limit: int

    def of(
        self, connection: Connection, statement: Select[Any], owner: ColumnElement[str], at: Any
    ) -> Sequence[Any]:
        """The rows of a statement that fall into the window, newest first."""
        statement = statement.where(owner == self.purchase_id).order_by(at.desc()).limit(self.limit)
        if self.before is not None:
            statement = statement.where(at < self.before)
        return connection.execute(statement).all()


def transitions(connection: Connection, window: Window, people: bool = False) -> list[Happening]:
    """The rows of the journal; with ``people`` only what they did."""
    c = journal.c
    statement = select(c.at, c.sequence, c.trigger, c.source, c.target, c.actor, c.detail)
    if people:
        statement = statement.where(_by_people(journal))
    return [Transition(*row) for row in window.of(connection, statement, c.purchase_id, c.at)]


def calls(connection: Connection, window: Window) -> list[Happening]:
    """The calls to SEQR, without their texts, which are long."""
    c = exchanges.c
    statement = select(c.started_at, c.id, c.operation, c.duration_ms, c.verdict, c.result_code, c.detail)
    return [SeqrCall(*row) for row in window.of(connection, statement, c.purchase_id, c.started_at)]


def notified(connection: Connection, window: Window) -> list[Happening]:
    c = notifications.c
    rows = window.of(connection, select(c.at, c.id, c.sender), c.purchase_id, c.at)
    return [Notified(*row) for row in rows]


def mails(connection: Connection, window: Window) -> list[Happening]:
    c = outbox.c
    statement = select(c.created_at, c.id, c.kind, c.state, c.recipient, c.subject)
    return [MailSent(*row) for row in window.of(connection, statement, c.purchase_id, c.created_at)]


def moved(connection: Connection, window: Window) -> list[Happening]:
    c = stock_movements.c
    columns = (c.at, c.id, c.kind, c.product_token, products.c.title, c.on_hand, c.reserved)
    statement = select(*columns).join(products, products.c.token == c.product_token)
    return [StockMoved(*row) for row in window.of(connection, statement, c.purchase_id, c.at)]


def acted(connection: Connection, window: Window) -> list[Happening]:
    """The rows of the audit log that no row of the journal tells of: those have another actor or moment."""
    c, told = audit.c, journal.c
    statement = select(c.at, c.id, c.action, c.actor, c.detail)
    journalled = select(told.id).where(told.purchase_id == c.subject, told.actor == c.actor, told.at == c.at)
    return [
        Acted(*row) for row in window.of(connection, statement.where(~journalled.exists()), c.subject, c.at)
    ]


def _by_people(table: Table) -> ColumnElement[bool]:
    return or_(*(table.c.actor.like(kind) for kind in _PEOPLE))
