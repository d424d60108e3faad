"""The journal: the only place that changes a purchase's state, each time with a row that says so.

A change compares the revision that was read with the one that is there (compare-and-set). Who comes second
gets LostRace, and the unit of work runs again on what is there now.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from orchestrator import batch
from orchestrator.purchase import Purchase
from orchestrator.stamp import Stamp
from orchestrator.tables import journal, purchases
from statemachine import Reason, State, Subject, Transition, Trigger, fire

_FIELDS = frozenset(Purchase._fields)


def begin(connection: Connection, purchase_id: str, stamp: Stamp, detail: str) -> None:
    """The journal's first row: the purchase was received."""
    _append(connection, purchase_id, 1, stamp, "place", None, State.RECEIVED.value, detail)


def move(
    connection: Connection,
    purchase: Purchase,
    trigger: Trigger,
    stamp: Stamp,
    detail: str,
    *,
    reason: Reason | None = None,
    missing: str = "",
    **changes: Any,
) -> Purchase:
    """Fire ``trigger``; write the new state, ``changes`` and the journal row; returns the purchase after it.

    ``reason`` goes with a transition to failed, ``missing`` is what the stock lacks. An attention mark was
    about the state that is left behind, so it goes.

    Raises:
        NotAllowed: the state or a guard forbids it.
        LostRace: the purchase has changed since it was read.
    """
    subject = Subject(purchase.state, missing=missing)
    _check_reason(fire(subject, trigger), reason)
    changes |= {"state": subject.state, "reason": reason and reason.value, "attention": None}
    return _write(connection, purchase, stamp, trigger.value, detail, changes)


def mark(
    connection: Connection, purchase: Purchase, attention: str | None, stamp: Stamp, **changes: Any
) -> Purchase:
    """Set or clear the attention mark, with ``changes``; the journal tells only of a mark that is new.

    Raises:
        LostRace: the purchase has changed since it was read.
    """
    if attention == purchase.attention:
        return touch(connection, purchase, **changes)
    trigger = "attention" if attention else "attention_over"
    detail = attention or "It moves by itself again."
    return _write(connection, purchase, stamp, trigger, detail, {**changes, "attention": attention})


def note(connection: Connection, purchase: Purchase, trigger: str, stamp: Stamp, detail: str) -> Purchase:
    """Write down something that leaves the state as it is, such as what an operator asked for.

    Raises:
        LostRace: the purchase has changed since it was read.
    """
    return _write(connection, purchase, stamp, trigger, detail, {})


def touch(connection: Connection, purchase: Purchase, **changes: Any) -> Purchase:
    """Write columns that are no news, such as when it is looked at next.

    Raises:
        LostRace: the purchase has changed since it was read.
    """
    if not changes:
        return purchase
    batch.change_row(connection, purchases, {"id": purchase.id}, changes, purchase.seen())
    return _after(purchase, changes)


def last_words(connection: Connection, purchase_id: str) -> str:
    """The detail of what happened last to a purchase."""
    statement = (
        select(journal.c.detail)
        .where(journal.c.purchase_id == purchase_id)
        .order_by(journal.c.sequence.desc())
        .limit(1)
    )
    return str(connection.execute(statement).scalar_one())


def last_mark(connection: Connection, purchase_id: str, beginning: str) -> str | None:
    """The latest attention mark of a purchase that began so, whatever became of it."""
    statement = (
        select(journal.c.detail)
        .where(journal.c.purchase_id == purchase_id, journal.c.trigger == "attention")
        .where(journal.c.detail.startswith(beginning, autoescape=True))
        .order_by(journal.c.sequence.desc())
        .limit(1)
    )
    return connection.execute(statement).scalar_one_or_none()


def _check_reason(arrow: Transition, reason: Reason | None) -> None:
    """The table says which reasons go with which arrow."""
    if reason not in (arrow.reasons or {None}):
        raise ValueError(f"{arrow.trigger} does not go with the reason {reason}")


def _write(
    connection: Connection,
    purchase: Purchase,
    stamp: Stamp,
    trigger: str,
    detail: str,
    changes: dict[str, Any],
) -> Purchase:
    changes = {**changes, "revision": purchase.revision + 1}
    seen = {"revision": purchase.revision} | purchase.seen()
    batch.change_row(connection, purchases, {"id": purchase.id}, changes | {"updated_at": stamp.at}, seen)
    after = _after(purchase, changes)
    _append(connection, purchase.id, after.revision, stamp, trigger, purchase.state, after.state, detail)
    return after


def _after(purchase: Purchase, changes: dict[str, Any]) -> Purchase:
    known = {name: value for name, value in changes.items() if name in _FIELDS}
    return purchase._replace(**known, row_version=None, planned=None)


def _append(
    connection: Connection,
    purchase_id: str,
    sequence: int,
    stamp: Stamp,
    trigger: str,
    source: str | None,
    target: str,
    detail: str,
) -> None:
    batch.add(
        connection,
        journal,
        {
            "purchase_id": purchase_id,
            "sequence": sequence,
            "at": stamp.at,
            "trigger": trigger,
            "source": source,
            "target": target,
            "actor": stamp.actor,
            "detail": detail,
        },
    )
