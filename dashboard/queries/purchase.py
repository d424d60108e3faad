"""One purchase: who bought what, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, union_all

from dashboard.queries.doubt import silent_since
from orchestrator.money import Money
from orchestrator.summary import Customer
from orchestrator.tables import invoice_attempts, journal, purchase_lines, purchases
from statemachine import State

PAYABLE = frozenset({State.INVOICED.value})
"""The states in which the customer can pay the invoice."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the invoice; ``kind`` is ``goods``, ``stock`` (not invoiced by itself) or ``charge``."""

    kind: str
    token: str | None
    title: str
    quantity: int
    unit_price: Money
    total: Money
    tax_rate: Decimal


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """The invoice that the customer may pay: since when, and whether SEQR is being asked to cancel it."""

    since: datetime
    cancelling: bool

    def until(self, seconds: float) -> datetime:
        """When it ends by itself, if it lives for so long."""
        return self.since + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class PurchaseView:
    """A purchase as its own page shows it; ``visited`` are the states it was in, in order."""

    id: str
    state: str
    reason: str | None
    attention: str | None
    revision: int
    purchase_token: str
    title: str
    amount: Money
    customer: Customer
    lines: tuple[Line, ...]
    invoice_reference: str | None
    invoice_qr_code: str | None
    ers_reference: str | None
    created_at: datetime
    updated_at: datetime
    next_check_at: datetime | None
    silent_since: datetime | None
    """Since when SEQR answers no call about it; None while it does."""
    notified_at: datetime | None
    erased_at: datetime | None
    """When the customer was erased."""
    invoice: OpenInvoice | None
    visited: tuple[str, ...]
    fired: frozenset[tuple[str, str]]
    """By what it left which state: (source, trigger)."""

    @property
    def pay_code(self) -> str | None:
        """What the QR code says while the invoice can be paid, for all that we know."""
        return _pay_code(self)


def _pay_code(row: Any) -> str | None:
    return row.invoice_qr_code if row.state in PAYABLE and row.attention is None else None


def read_purchase(connection: Connection, purchase_id: str) -> PurchaseView | None:
    """The purchase, or None when there is none with that id."""
    row = connection.execute(select(purchases).where(purchases.c.id == purchase_id)).one_or_none()
    if row is None:
        return None
    return PurchaseView(
        id=row.id,
        state=row.state,
        reason=row.reason,
        attention=row.attention,
        revision=row.revision,
        purchase_token=row.purchase_token,
        title=row.title,
        amount=Money(row.amount, row.currency),
        customer=_customer(row),
        lines=_lines(connection, row.id, row.currency),
        invoice_reference=row.invoice_reference,
        invoice_qr_code=row.invoice_qr_code,
        ers_reference=row.ers_reference,
        created_at=row.created_at,
        updated_at=row.updated_at,
        next_check_at=row.next_check_at,
        silent_since=silent_since(connection, row.id) if row.checks_failed else None,
        notified_at=row.notified_at,
        erased_at=row.customer_erased_at,
        invoice=_open_invoice(connection, row.id, row.invoice_reference),
        **_way_gone(connection, row.id),
    )


def find_by_reference(connection: Connection, reference: str) -> str | None:
    """The id of the purchase with this invoice reference (an earlier one too) or ersReference."""
    c, attempts = purchases.c, invoice_attempts.c
    # Each by its own index: where one of several may hold, PostgreSQL reads purchases until it has found one.
    found = union_all(
        select(c.id).where(c.invoice_reference == reference),
        select(c.id).where(c.ers_reference == reference),
        select(attempts.purchase_id).where(attempts.reference == reference),
    ).subquery()
    newest: str | None = connection.execute(select(func.max(found.c.id))).scalar_one()
    return newest


def read_pay_code(connection: Connection, purchase_id: str) -> str | None:
    """What the QR code of an invoice says that can still be paid."""
    row = connection.execute(
        select(purchases.c.state, purchases.c.attention, purchases.c.invoice_qr_code).where(
            purchases.c.id == purchase_id
        )
    ).one_or_none()
    return None if row is None else _pay_code(row)


def _open_invoice(connection: Connection, purchase_id: str, reference: str | None) -> OpenInvoice | None:
    attempts = invoice_attempts.c
    row = connection.execute(
        select(attempts.sent_at, attempts.issued_at, attempts.cancel_reason)
        .where(attempts.purchase_id == purchase_id, attempts.reference == reference, attempts.state == "open")
        .limit(1)
    ).one_or_none()
    return row and OpenInvoice(row.issued_at or row.sent_at, row.cancel_reason is not None)


def _customer(row: Row[Any]) -> Customer:
    return Customer(
        name=row.customer_name,
        street=row.customer_street,
        zip=row.customer_zip,
        city=row.customer_city,
        state=row.customer_state,
        country=row.customer_country,
        email=row.customer_email,
        msisdn=row.customer_msisdn,
    )


def _lines(connection: Connection, purchase_id: str, currency: str) -> tuple[Line, ...]:
    lines = purchase_lines.c
    rows = connection.execute(
        select(purchase_lines).where(lines.purchase_id == purchase_id).order_by(lines.position)
    )
    return tuple(
        Line(
            kind=row.kind,
            token=row.product_token,
            title=row.title,
            quantity=row.quantity,
            unit_price=Money(row.unit_price, currency),
            total=Money(row.total, currency),
            tax_rate=row.tax_rate,
        )
        for row in rows
    )


def _way_gone(connection: Connection, purchase_id: str) -> dict[str, Any]:
    c = journal.c
    moved = or_(c.source.is_(None), c.source != c.target)
    rows = connection.execute(
        select(c.source, c.trigger, c.target).where(c.purchase_id == purchase_id, moved).order_by(c.sequence)
    ).all()
    return {
        "visited": tuple(row.target for row in rows),
        "fired": frozenset((row.source, row.trigger) for row in rows if row.source is not None),
    }
