"""What is due: purchases that somebody has to look at, claimed by whoever comes first.

The state is the queue. Claiming a purchase pushes its next check ahead by one interval, which is the lease
too: if the claimer dies, the purchase is simply due again. No process needs to know of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)

from orchestrator import batch
from orchestrator.attempt import COLUMNS as ATTEMPT_COLUMNS
from orchestrator.attempt import LOST, LOST_FOR, Attempt, Matter
from orchestrator.batch import Reading
from orchestrator.identity import new_id
from orchestrator.purchase import COLUMNS as PURCHASE_COLUMNS
from orchestrator.purchase import Purchase, PurchaseUnknown, load
from orchestrator.settings import Settings
from orchestrator.statement import Statement
from orchestrator.tables import invoice_attempts, notifications, purchases
from statemachine import State

FRESH = timedelta(minutes=3)
"""How long a customer is likely to pay at any moment."""

_UNHURRIED = 4.0
_NEVER_OVER = 9.0
"""Seconds; no open invoice is asked about less often than every 10 (the contract)."""
_FURTHEST_OPEN = timedelta(seconds=12)
"""Nothing plans the next look at an open invoice so far ahead: 10 s at most, and 2 for clocks that differ."""
_FURTHEST = timedelta(seconds=75)
"""Nor at anything else: a sendInvoice may hang for a minute, and a lost invoice is sought once a minute."""
_WHILE_IT_FAILS = 2.0
"""Seconds between two checks at most while SEQR fails, so that one that is back late still hears in its 20
seconds (facts, rule 1). What spares a SEQR that is down is the reconciler, which then tries one a second."""
_HEAD_START = timedelta(seconds=1)
"""So long a purchase is left to the process that was told of it, which asks at once, unless its turn comes
sooner. Without it the reconciler takes up what is being asked about: SEQR is asked twice, and one of the two
writes in vain."""


_C = invoice_attempts.c
_IS_SOUGHT = and_(
    _C.status == LOST,
    _C.closed_at > bindparam("sought_since"),
    purchases.c.state == State.FAILED.value,
)
_WAITING = select(_C.id).where(
    _C.purchase_id == bindparam("purchase_id"), or_(_C.state == "open", _IS_SOUGHT)
)
_REST = Statement(
    update(purchases)
    .where(
        purchases.c.id == bindparam("purchase_id"),
        purchases.c.state != State.RECEIVED.value,
        ~_WAITING.exists(),
    )
    .values(next_check_at=None)
)
_TOLD_AT, _DUE = (bindparam(name, type_=purchases.c.next_check_at.type) for name in ("told_at", "due"))
_TELL = Statement(
    update(purchases)
    .where(purchases.c.id == bindparam("of_id"), purchases.c.state != State.STOCKED.value)
    .values(
        notified_at=_TOLD_AT,
        next_check_at=case(
            # Nobody can ask about it yet; and whoever writes down its invoice learns from this of the call.
            (purchases.c.state == State.RECEIVED.value, _TOLD_AT),
            (purchases.c.next_check_at < _DUE, purchases.c.next_check_at),
            else_=_DUE,
        ),
    )
)
_CALL = [notifications.c[name] for name in ("id", "purchase_id", "at", "sender")]
_CALLS = (
    select(func.count())
    .select_from(notifications)
    .where(notifications.c.purchase_id == bindparam("purchase_id", type_=_CALL[1].type))
)
_KEEP = Statement(
    insert(notifications).from_select(
        _CALL,
        select(*(bindparam(column.name, type_=column.type) for column in _CALL)).where(
            _CALLS.scalar_subquery() < bindparam("most", type_=Integer)
        ),
    )
)
_LOOK = Reading(
    select(*PURCHASE_COLUMNS, *ATTEMPT_COLUMNS)
    .outerjoin_from(purchases, invoice_attempts, _C.purchase_id == purchases.c.id)
    .where(purchases.c.id == bindparam("purchase_id"))
    .order_by(_C.number)
)
_LOOK_AT_ALL = (
    select(*PURCHASE_COLUMNS, *ATTEMPT_COLUMNS)
    .outerjoin_from(purchases, invoice_attempts, _C.purchase_id == purchases.c.id)
    .where(purchases.c.id.in_(bindparam("purchase_ids", expanding=True)))
    .order_by(purchases.c.id, _C.number)
)


@dataclass(frozen=True, slots=True)
class Watched:
    """A purchase and its invoice attempts, as they were read."""

    purchase: Purchase
    attempts: list[Attempt]

    @property
    def may_rest(self) -> bool:
        """Whether there may be nothing left to wait for. An invoiced purchase waits for its open invoice; one
        that was paid with a wrong sum has none."""
        if self.purchase.state == State.INVOICED.value:
            return all(attempt.state != "open" for attempt in self.attempts)
        return self.purchase.state != State.RECEIVED.value

    def matter(self, attempt: Attempt) -> Matter | None:
        """One of the attempts, if the database tells when it is not so any more."""
        if attempt.row_version is None:
            return None
        others_open = any(other.state == "open" for other in self.attempts if other.id != attempt.id)
        return Matter(attempt, self.purchase, others_open, anothers=False)


def look(connection: Connection, purchase_id: str) -> Watched:
    """Read what a check needs, in one statement. Raises PurchaseUnknown."""
    rows = _LOOK.all(connection, purchase_id=purchase_id)
    if not rows:
        raise PurchaseUnknown(f"There is no purchase {purchase_id}.")
    return _watched(rows)


def _watched(rows: Sequence[Sequence[Any]]) -> Watched:
    """One purchase, whose every attempt has a row."""
    its = len(PURCHASE_COLUMNS)
    return Watched(Purchase(*rows[0][:its]), [Attempt(*row[its:]) for row in rows if row[its] is not None])


def intervals(settings: Settings) -> tuple[timedelta, timedelta]:
    """Between two checks of a fresh invoice, and of one that has been open for a while."""
    fresh = min(settings.poll_interval, _NEVER_OVER)
    later = min(max(fresh, min(2 * fresh, _UNHURRIED)), _NEVER_OVER)
    return timedelta(seconds=fresh), timedelta(seconds=later)


def claim(connection: Connection, settings: Settings, at: datetime, limit: int) -> list[Watched]:
    """Take up to ``limit`` purchases that are due, the longest waiting. As many again may come after
    the clock was set back.

    Those that SEQR has called about come first, then the youngest: there a payment is likeliest to wait for
    our question. It matters after an outage, when many are due at once.
    """
    fresh, later = intervals(settings)
    # Two ranges of the index: as one condition PostgreSQL would look at all that are open, each time.
    due = union_all(*(_first(which, limit) for which in _is_due(at)))
    again = case((purchases.c.received_at > at - FRESH, at + fresh), else_=at + later)
    statement = (
        update(purchases)
        .where(purchases.c.id.in_(due))
        .values(next_check_at=again, asked_at=at)
        .returning(purchases.c.id)
    )
    ids = connection.execute(statement).scalars().all()
    claimed = _look_at_all(connection, ids)
    claimed.sort(key=lambda found: found.purchase.received_at, reverse=True)
    return sorted(claimed, key=lambda found: found.purchase.notified_at is None)


def _look_at_all(connection: Connection, ids: Sequence[str]) -> list[Watched]:
    if not ids:
        return []
    rows = connection.execute(_LOOK_AT_ALL, {"purchase_ids": ids}).all()
    return [_watched(list(its)) for _, its in groupby(rows, lambda row: row[0])]


def _first(which: ColumnElement[bool], limit: int) -> Select[Any]:
    found = (
        select(purchases.c.id)
        .where(which)
        .order_by(purchases.c.next_check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return select(found.subquery().c.id)


def _is_due(at: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What was planned until now; and what lies further ahead than anything is planned: the clock was set
    back since, and a payment would wait for it to catch up."""
    c = purchases.c
    is_open = c.state == State.INVOICED.value
    too_far = and_(c.next_check_at > at + _FURTHEST_OPEN, or_(is_open, c.next_check_at > at + _FURTHEST))
    return c.next_check_at <= at, too_far


def wake_unanswered(connection: Connection, at: datetime) -> int:
    """SEQR answers again: whatever it did not answer about is due at once; returns how many."""
    waiting = (purchases.c.next_check_at > at, purchases.c.checks_failed > 0)
    return connection.execute(update(purchases).where(*waiting).values(next_check_at=at)).rowcount


def next_check(
    purchase: Purchase, settings: Settings, began: datetime, at: datetime, failures: int
) -> datetime:
    """When to look again after a call, begun at ``began``, that told nothing; later after some failures.

    What a check that was begun later has planned stands: calls that hang fail one after the other, and each
    would put off the next check once more, although SEQR is back.
    """
    overtaken = purchase.asked_at is not None and purchase.asked_at > began
    planned = purchase.next_check_at
    wait = timedelta(seconds=min(settings.poll_interval * 2.0 ** min(failures, 10), _WHILE_IT_FAILS))
    return min(planned, at + wait) if overtaken and planned is not None else at + wait


def is_watched(purchase: Purchase, attempt: Attempt, at: datetime) -> bool:
    """Whether SEQR is asked about the attempt by itself."""
    return attempt.state == "open" or (purchase.state == State.FAILED.value and attempt.is_sought(at))


def rest(connection: Connection, purchase_id: str, at: datetime) -> None:
    """Stop looking at a purchase that has nothing left to wait for."""
    batch.also(connection, _REST, {"purchase_id": purchase_id, "sought_since": at - LOST_FOR})


def told(
    connection: Connection,
    purchase_id: str,
    sender: str,
    at: datetime,
    most: int = 20,
    *,
    open_: bool = False,
) -> bool:
    """Write down that a purchase's notification address was called; returns whether to ask SEQR at once. If
    nobody does, it is due in a moment.

    Of many calls only the first ``most`` are kept: anybody who learnt the address can repeat it. With
    ``open_`` nothing is read before: that goes through if there is such a purchase, and it is not stocked.

    Raises:
        PurchaseUnknown: the address was made by us, for a purchase that this database never had.
        LostRace: it has been stocked, or is not ``open_``.
    """
    if not open_ and load(connection, purchase_id).state == State.STOCKED.value:
        return False
    tell = {"of_id": purchase_id, "told_at": at, "due": at + _HEAD_START}
    batch.must(connection, _TELL, tell, (purchases.name, purchase_id))
    row = {"id": new_id(), "purchase_id": purchase_id, "at": at, "sender": sender, "most": most}
    batch.also(connection, _KEEP, row)
    return True
