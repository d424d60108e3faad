"""The census: how many purchases, invoices and mails there are, and how long they have waited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, and_, exists, func, select

from orchestrator.tables import invoice_attempts, journal, outbox, purchases
from statemachine import State

LATELY = timedelta(minutes=10)
"""Over which time the stays in a state are averaged."""

_ON_THE_WAY = (State.RECEIVED.value, State.INVOICED.value, State.PAID.value)
_MOST_MOVES = 20_000
_MAIL_STATES = ("queued", "sent", "kept", "failed")


@dataclass(frozen=True, slots=True)
class Census:
    """Numbers at one moment. Durations are in seconds."""

    purchases: dict[str, int]
    """By state; every state is there."""
    attention: int
    oldest: dict[str, float]
    """By state on the way to stocked: how long the purchase that moved least recently has been as it is."""
    stays: dict[str, float]
    """By state: how long those that left it lately had been in it, on average."""
    open_invoices: int
    longest_unasked: float
    """How long ago SEQR was asked about the open invoice that waits longest; 0 when none is open."""
    mails: dict[str, int]
    """The outbox by state."""


def take(connection: Connection, at: datetime) -> Census:
    """Count everything once."""
    number, longest_unasked = open_invoices(connection, at)
    return Census(
        purchases=dict.fromkeys((state.value for state in State), 0) | _counts(connection, purchases),
        attention=connection.execute(
            select(func.count()).select_from(purchases).where(purchases.c.attention.is_not(None))
        ).scalar_one(),
        oldest=_oldest(connection, at),
        stays=_stays(connection, at),
        open_invoices=number,
        longest_unasked=longest_unasked,
        mails=dict.fromkeys(_MAIL_STATES, 0) | _counts(connection, outbox),
    )


def _counts(connection: Connection, table: Table) -> dict[str, int]:
    statement = select(table.c.state, func.count().label("number")).group_by(table.c.state)
    return {row.state: row.number for row in connection.execute(statement)}


def _oldest(connection: Connection, at: datetime) -> dict[str, float]:
    statement = (
        select(purchases.c.state, func.min(purchases.c.updated_at))
        .where(purchases.c.state.in_(_ON_THE_WAY))
        .group_by(purchases.c.state)
    )
    found = {state: _since(moved_at, at) for state, moved_at in connection.execute(statement)}
    return dict.fromkeys(_ON_THE_WAY, 0.0) | found


def _stays(connection: Connection, at: datetime) -> dict[str, float]:
    """From the journal: each late move, beside the purchase's last move before it into that state."""
    left, came = journal.alias("left_state"), journal.alias("came_to_state")
    statement = (
        select(left.c.source, left.c.at, func.max(came.c.at))
        .join(came, and_(came.c.purchase_id == left.c.purchase_id, came.c.sequence < left.c.sequence))
        .where(
            left.c.at > at - LATELY,
            left.c.source != left.c.target,
            came.c.target == left.c.source,
            came.c.source.is_distinct_from(came.c.target),
        )
        .group_by(left.c.id, left.c.source, left.c.at)
        .limit(_MOST_MOVES)
    )
    stays: dict[str, list[float]] = {}
    for state, left_at, came_at in connection.execute(statement):
        stays.setdefault(state, []).append(_since(came_at, left_at))
    return {state: sum(seconds) / len(seconds) for state, seconds in stays.items()}


def open_invoices(connection: Connection, at: datetime) -> tuple[int, float]:
    """How many a customer may pay, and for how many seconds the one that waits longest has not been asked
    about since then, or else since it was issued; 0 when none is open.

    Quick however many there are: purchases that are looked at again and again are indexed by when they were
    asked about last (index ``purchases_asked``), and an open invoice's purchase is one of them.
    """
    number = connection.execute(
        select(func.count()).select_from(invoice_attempts).where(invoice_attempts.c.state == "open")
    ).scalar_one()
    since = [moment for moment in (_asked_first(connection), _never_asked(connection)) if moment]
    return number, _since(min(since, default=None), at)


def _asked_first(connection: Connection) -> datetime | None:
    """When the purchase with an open invoice was asked about that has waited longest since."""
    mine = invoice_attempts.c.purchase_id == purchases.c.id
    statement = (
        select(purchases.c.asked_at)
        .where(purchases.c.next_check_at.is_not(None), purchases.c.asked_at.is_not(None))
        .where(exists().where(invoice_attempts.c.state == "open", mine))
        .order_by(purchases.c.asked_at)
        .limit(1)
    )
    return connection.execute(statement).scalar_one_or_none()


def _never_asked(connection: Connection) -> datetime | None:
    """When the oldest open invoice was issued whose purchase was never asked about."""
    new = select(purchases.c.id).where(purchases.c.next_check_at.is_not(None), purchases.c.asked_at.is_(None))
    issued = func.coalesce(invoice_attempts.c.issued_at, invoice_attempts.c.sent_at)
    statement = select(func.min(issued)).where(
        invoice_attempts.c.state == "open", invoice_attempts.c.purchase_id.in_(new)
    )
    issued_at: datetime | None = connection.execute(statement).scalar_one()
    return issued_at


def _since(then: datetime | None, at: datetime) -> float:
    return 0.0 if then is None else max((at - then).total_seconds(), 0.0)
