"""Purchases, and everything that belongs to one."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from orchestrator.models.fields import fixed as _fixed
from orchestrator.models.fields import moment as _moment

_BIG_ID = BigInteger().with_variant(Integer, "sqlite")
_STATES = "('received', 'invoiced', 'paid', 'stocked', 'failed')"
_KEPT = "customer_erased_at IS NULL AND attention IS NULL AND state IN ('stocked', 'failed')"


class Purchase(SQLModel, table=True):
    """One order of one customer.

    ``revision`` counts the journal rows: every change of the state compares and raises it.
    ``next_check_at`` is the queue: when the reconciler has to look at it; null when it is at rest.
    ``request_key`` is the same for equal requests, so that a repeat finds the one that is still unpaid.
    """

    __tablename__ = "purchases"
    __table_args__ = (
        # Like the next tables' a constraint on PostgreSQL, triggers of the same name on SQLite.
        CheckConstraint(f"state IN {_STATES}", name="purchases_state"),
        CheckConstraint("(state = 'failed') = (reason IS NOT NULL)", name="purchases_reason_when_failed"),
        CheckConstraint(
            "state <> 'invoiced' OR invoice_reference IS NOT NULL", name="purchases_reference_when_invoiced"
        ),
        Index(
            "purchases_due",
            "next_check_at",
            sqlite_where=text("next_check_at IS NOT NULL"),
            postgresql_where=text("next_check_at IS NOT NULL"),
        ),
        Index(
            "purchases_asked",
            "asked_at",
            sqlite_where=text("next_check_at IS NOT NULL"),
            postgresql_where=text("next_check_at IS NOT NULL"),
        ),
        Index("purchases_by_state", "state", "id"),
        Index("purchases_of_request", "request_key", "id"),
        Index(
            "purchases_open_request",
            "request_key",
            unique=True,
            sqlite_where=text("state IN ('received', 'invoiced')"),
            postgresql_where=text("state IN ('received', 'invoiced')"),
        ),
        Index(
            "purchases_unpaid_of_phone",
            "customer_msisdn",
            "customer_email",
            sqlite_where=text("state IN ('received', 'invoiced')"),
            postgresql_where=text("state IN ('received', 'invoiced')"),
        ),
        Index(
            "purchases_attention",
            "id",
            sqlite_where=text("attention IS NOT NULL"),
            postgresql_where=text("attention IS NOT NULL"),
        ),
        Index(
            "purchases_by_reason",
            "reason",
            "id",
            "state",
            "amount",
            sqlite_where=text("reason IS NOT NULL"),
            postgresql_where=text("reason IS NOT NULL"),
        ),
        # Word for word the condition in ``erasure``: so it is used.
        Index(
            "purchases_to_erase",
            "updated_at",
            sqlite_where=text(_KEPT),
            postgresql_where=text(_KEPT),
        ),
        # What lists are filtered by stands in it, so that none of them reads more than this index.
        Index("purchases_by_amount", "amount", "id", "state", "reason"),
        Index("purchases_of_product", "purchase_token", "id"),
    )

    id: str = Field(primary_key=True, max_length=36)
    state: str = Field(max_length=16)
    reason: str | None = Field(default=None, max_length=32)
    attention: str | None = Field(default=None, sa_type=Text)
    revision: int
    purchase_token: str = Field(max_length=64)
    title: str = Field(max_length=200)
    amount: Decimal = _fixed()
    currency: str = Field(max_length=3)
    customer_name: str = Field(max_length=200)
    customer_street: str = Field(max_length=200)
    customer_city: str = Field(max_length=200)
    customer_state: str = Field(max_length=200)
    customer_zip: str = Field(max_length=32)
    customer_country: str = Field(max_length=100)
    customer_email: str = Field(max_length=254)
    customer_msisdn: str = Field(max_length=32)
    invoice_reference: str | None = Field(default=None, max_length=64, index=True)
    invoice_qr_code: str | None = Field(default=None, max_length=500)
    ers_reference: str | None = Field(default=None, max_length=64, index=True)
    search_text: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    """Its search terms, each behind a space."""
    request_key: str = Field(max_length=64)
    holds_stock: bool
    holds: int = 0
    """How often stock was held for it: the round of its stock movements."""
    checks_failed: int = 0
    received_at: datetime = _moment()
    created_at: datetime = _moment()
    updated_at: datetime = _moment()
    next_check_at: datetime | None = _moment(default=None)
    asked_at: datetime | None = _moment(default=None)
    """When a check of it was last begun."""
    notified_at: datetime | None = _moment(default=None)
    customer_erased_at: datetime | None = _moment(default=None)
    """When the customer's fields were blanked; null while they are kept."""


class PurchaseLine(SQLModel, table=True):
    """What a purchase takes from the stock and how it stands on the invoice, as it was when it was placed."""

    __tablename__ = "purchase_lines"

    purchase_id: str = Field(primary_key=True, foreign_key="purchases.id", max_length=36)
    position: int = Field(primary_key=True)
    kind: str = Field(max_length=16)
    """``goods`` moves stock and is invoiced, ``stock`` only moves stock, ``charge`` is only invoiced."""
    product_token: str | None = Field(default=None, max_length=64)
    title: str = Field(max_length=200)
    quantity: int
    unit_price: Decimal = _fixed()
    total: Decimal = _fixed()
    tax_rate: Decimal = _fixed()
    sku: str | None = Field(default=None, max_length=64)
    ean: str | None = Field(default=None, max_length=14)


class InvoiceAttempt(SQLModel, table=True):
    """One sendInvoice. Its id is the client invoice id at SEQR.

    States: ``sending`` (the call is out), ``open`` (SEQR holds it; it is asked about), ``closed`` (SEQR said
    how it ended), ``refused``, ``busy`` (SEQR did nothing), ``unknown`` (nobody can tell; its reference was
    never learnt, so no customer can pay it).
    """

    __tablename__ = "invoice_attempts"
    __table_args__ = (
        UniqueConstraint("purchase_id", "number", name="invoice_attempts_number"),
        CheckConstraint(
            "state IN ('sending', 'open', 'closed', 'refused', 'busy', 'unknown')",
            name="invoice_attempts_state",
        ),
        CheckConstraint(
            "state <> 'open' OR reference IS NOT NULL", name="invoice_attempts_reference_when_open"
        ),
        Index("invoice_attempts_by_state", "state", "purchase_id"),
    )

    id: str = Field(primary_key=True, max_length=36)
    purchase_id: str = Field(foreign_key="purchases.id", max_length=36)
    number: int
    state: str = Field(max_length=16)
    reference: str | None = Field(default=None, max_length=64, index=True)
    qr_code: str | None = Field(default=None, max_length=500)
    version: int = 0
    status: str | None = Field(default=None, max_length=64)
    cancel_reason: str | None = Field(default=None, max_length=32)
    """Why we asked SEQR to cancel it; null when we did not."""
    sent_at: datetime = _moment()
    issued_at: datetime | None = _moment(default=None)
    closed_at: datetime | None = _moment(default=None)


class JournalEntry(SQLModel, table=True):
    """What happened to a purchase, in order; rows are only ever added, which the database enforces.

    ``source`` is null for the first one; source and target are the same where the state stayed and only
    the attention mark changed. ``detail`` names no customer: it can never be blanked.
    """

    __tablename__ = "journal"
    __table_args__ = (
        UniqueConstraint("purchase_id", "sequence", name="journal_sequence"),
        CheckConstraint(f"target IN {_STATES}", name="journal_target"),
        Index(
            "journal_payments",
            "at",
            sqlite_where=text("target = 'paid' AND source <> 'paid'"),
            postgresql_where=text("target = 'paid' AND source <> 'paid'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_BIG_ID)
    purchase_id: str = Field(foreign_key="purchases.id", max_length=36)
    sequence: int
    at: datetime = _moment(index=True)
    trigger: str = Field(max_length=32)
    source: str | None = Field(default=None, max_length=16)
    target: str = Field(max_length=16)
    actor: str = Field(max_length=100)
    detail: str = Field(sa_type=Text)


class Notification(SQLModel, table=True):
    """SEQR (or somebody) called a purchase's notification URL."""

    __tablename__ = "notifications"

    id: str = Field(primary_key=True, max_length=36)
    purchase_id: str = Field(foreign_key="purchases.id", max_length=36, index=True)
    at: datetime = _moment()
    sender: str = Field(max_length=64)
