"""Invoice attempts as they are kept: each sendInvoice is a row, written before the call goes out and finished
after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Text, bindparam, exists, select

from orchestrator import batch, journal, stock
from orchestrator.batch import Reading
from orchestrator.columns import ROW_VERSION, RowVersion
from orchestrator.purchase import COLUMNS as PURCHASE_COLUMNS
from orchestrator.purchase import Purchase
from orchestrator.stamp import Stamp
from orchestrator.tables import invoice_attempts, purchases
from statemachine import Reason, Trigger

LOST = "UNKNOWN"
"""Our own status of an invoice that SEQR says it does not know (54): it cannot be paid there."""
LOST_FOR, LOST_EVERY = timedelta(hours=1), timedelta(minutes=1)
"""How long, and how often, a failed purchase's lost invoice is looked for: wrong credentials of ours bring
54 about too, and may be put right."""


class Attempt(NamedTuple):
    """An attempt as it was read."""

    id: str
    purchase_id: str
    number: int
    state: str
    reference: str | None
    version: int
    status: str | None
    cancel_reason: str | None
    sent_at: datetime
    issued_at: datetime | None
    closed_at: datetime | None
    row_version: str | None = None
    """The database's; None where it needs none."""

    def is_sought(self, at: datetime) -> bool:
        """Whether SEQR did not know the invoice, and is asked about it for a while yet."""
        return self.status == LOST and self.closed_at is not None and at < self.closed_at + LOST_FOR


@dataclass(frozen=True, slots=True)
class Matter:
    """An attempt with its purchase: what an answer of SEQR's is about. ``others_open``: other invoices of the
    purchase may still be paid; ``anothers``: SEQR's reference is known as another purchase's."""

    attempt: Attempt
    purchase: Purchase
    others_open: bool
    anothers: bool


_C = invoice_attempts.c
_OTHER = invoice_attempts.alias("other")
COLUMNS: list[ColumnElement[Any]] = [
    *(_C[name] for name in Attempt._fields if name != ROW_VERSION),
    RowVersion(invoice_attempts),
]
"""What an attempt is made of, in the order of its fields."""
_READ = select(*COLUMNS)
_READ_ONE = Reading(_READ.where(_C.id == bindparam("attempt_id")))
_READ_ALL = Reading(_READ.where(_C.purchase_id == bindparam("purchase_id")).order_by(_C.number))
_OF_SAME_PURCHASE = _OTHER.c.purchase_id == _C.purchase_id
_MATTER = Reading(
    select(
        *COLUMNS,
        exists().where(_OF_SAME_PURCHASE, _OTHER.c.id != _C.id, _OTHER.c.state == "open"),
        exists().where(_OTHER.c.reference == bindparam("reference", type_=Text), ~_OF_SAME_PURCHASE),
        *PURCHASE_COLUMNS,
    )
    .join_from(invoice_attempts, purchases, purchases.c.id == _C.purchase_id)
    .where(_C.id == bindparam("attempt_id"))
)
_ANY_OPEN = Reading(
    select(_C.id).where(_C.purchase_id == bindparam("purchase_id"), _C.state == "open").limit(1)
)


def of_purchase(connection: Connection, purchase_id: str) -> list[Attempt]:
    """All attempts of a purchase, oldest first."""
    return [Attempt(*row) for row in _READ_ALL.all(connection, purchase_id=purchase_id)]


def load_attempt(connection: Connection, attempt_id: str) -> Attempt:
    """Read one attempt, which is there."""
    row = _READ_ONE.first(connection, attempt_id=attempt_id)
    assert row is not None, attempt_id
    return Attempt(*row)


def matter_of(connection: Connection, attempt_id: str, reference: str | None = None) -> Matter:
    """Read an attempt, which is there, and its purchase. ``reference`` is what SEQR calls the invoice."""
    row = _MATTER.first(connection, attempt_id=attempt_id, reference=reference)
    assert row is not None, attempt_id
    mine = len(COLUMNS)
    return Matter(Attempt(*row[:mine]), Purchase(*row[mine + 2 :]), bool(row[mine]), bool(row[mine + 1]))


def fail(
    connection: Connection,
    purchase: Purchase,
    trigger: Trigger,
    reason: Reason,
    stamp: Stamp,
    detail: str,
) -> Purchase:
    """Move a purchase to failed and give back its hold. Invoices that are still open stay watched."""
    after = journal.move(
        connection,
        purchase,
        trigger,
        stamp,
        detail,
        reason=reason,
        holds_stock=False,
        next_check_at=stamp.at if has_open(connection, purchase.id) else None,
    )
    if purchase.holds_stock:
        stock.release(connection, purchase.id, purchase.holds, stamp)
    return after


def has_open(connection: Connection, purchase_id: str) -> bool:
    """Whether an invoice of the purchase may still be paid at SEQR, as far as we know."""
    return _ANY_OPEN.first(connection, purchase_id=purchase_id) is not None


def change(connection: Connection, attempt: Attempt, **values: Any) -> None:
    """Write columns of an attempt.

    Raises:
        LostRace: it has changed since it was read.
    """
    seen = {ROW_VERSION: attempt.row_version}
    batch.change_row(connection, invoice_attempts, {"id": attempt.id}, values, seen)
