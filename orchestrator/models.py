"""The tables. Validation happens at the edge; these say how things are kept.

Which hot path writes what: ``purchase.py`` and ``settlement.py``. Every table's key sorts by time where it
is an id.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from orchestrator.columns import Fixed, Moment

METADATA = SQLModel.metadata
_BIG_ID = BigInteger().with_variant(Integer, "sqlite")


def _moment(**options: Any) -> Any:
    return Field(sa_type=Moment, **options)


def _fixed(**options: Any) -> Any:
    return Field(sa_type=Fixed, **options)


class Product(SQLModel, table=True):
    """Something for sale. A bundle is a product with parts; its stock is that of its parts."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("on_hand >= 0", name="products_on_hand_not_negative"),
        CheckConstraint("reserved >= 0", name="products_reserved_not_negative"),
    )

    token: str = Field(primary_key=True, max_length=64)
    title: str = Field(max_length=200)
    price: Decimal = _fixed()
    currency: str = Field(max_length=3)
    tax_rate: Decimal = _fixed()
    sku: str | None = Field(default=None, max_length=64)
    ean: str | None = Field(default=None, max_length=14)
    for_sale: bool = True
    on_hand: int = 0
    reserved: int = 0
    created_at: datetime = _moment()
    updated_at: datetime = _moment()


class BundlePart(SQLModel, table=True):
    """How many of a product one bundle contains."""

    __tablename__ = "bundle_parts"
    __table_args__ = (CheckConstraint("quantity > 0", name="bundle_parts_quantity_positive"),)

    bundle_token: str = Field(primary_key=True, foreign_key="products.token", max_length=64)
    part_token: str = Field(primary_key=True, foreign_key="products.token", max_length=64, index=True)
    position: int
    quantity: int


class Purchase(SQLModel, table=True):
    """One order of one customer.

    ``revision`` counts the journal rows: every change of the state compares and raises it.
    ``next_check_at`` is the queue: when the reconciler has to look at it; null when it is at rest.
    ``request_key`` is the same for equal requests, so that a repeat finds the one that is still unpaid.
    """

    __tablename__ = "purchases"
    __table_args__ = (
        Index(
            "purchases_due",
            "next_check_at",
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
            "purchases_attention",
            "id",
            sqlite_where=text("attention IS NOT NULL"),
            postgresql_where=text("attention IS NOT NULL"),
        ),
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
    """What happened to a purchase, in order; rows are only ever added.

    ``source`` is null for the first one; source and target are the same where the state stayed and only
    the attention mark changed.
    """

    __tablename__ = "journal"
    __table_args__ = (UniqueConstraint("purchase_id", "sequence", name="journal_sequence"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=_BIG_ID)
    purchase_id: str = Field(foreign_key="purchases.id", max_length=36)
    sequence: int
    at: datetime = _moment(index=True)
    trigger: str = Field(max_length=32)
    source: str | None = Field(default=None, max_length=16)
    target: str = Field(max_length=16)
    actor: str = Field(max_length=100)
    detail: str = Field(sa_type=Text)


class ExchangeRow(SQLModel, table=True):
    """One SOAP call as kept for the merchant; credentials were masked before it came here."""

    __tablename__ = "exchanges"
    __table_args__ = (Index("exchanges_of_purchase", "purchase_id", "started_at"),)

    id: str = Field(primary_key=True, max_length=36)
    purchase_id: str | None = Field(default=None, max_length=36)
    attempt_id: str | None = Field(default=None, max_length=36)
    operation: str = Field(max_length=64)
    started_at: datetime = _moment(index=True)
    duration_ms: float
    verdict: str = Field(max_length=16)
    result_code: int | None = None
    detail: str = Field(sa_type=Text)
    request: str = Field(sa_type=Text)
    response: str = Field(sa_type=Text)


class Notification(SQLModel, table=True):
    """SEQR (or somebody) called a purchase's notification URL."""

    __tablename__ = "notifications"

    id: str = Field(primary_key=True, max_length=36)
    purchase_id: str = Field(foreign_key="purchases.id", max_length=36, index=True)
    at: datetime = _moment()
    sender: str = Field(max_length=64)


class StockMovement(SQLModel, table=True):
    """One change of a product's stock; rows are only ever added.

    ``on_hand`` and ``reserved`` are the changes. A purchase moves each product once for each ``kind`` and
    ``round`` (how often it has been held), which the database enforces.
    """

    __tablename__ = "stock_movements"
    __table_args__ = (
        UniqueConstraint("purchase_id", "product_token", "kind", "round", name="stock_movements_once"),
        Index("stock_movements_of_product", "product_token", "id"),
    )

    id: str = Field(primary_key=True, max_length=36)
    product_token: str = Field(foreign_key="products.token", max_length=64)
    purchase_id: str | None = Field(default=None, max_length=36)
    round: int = 0
    at: datetime = _moment()
    kind: str = Field(max_length=16)
    on_hand: int
    reserved: int
    reason: str = Field(max_length=200)
    actor: str = Field(max_length=100)


class OutboxMail(SQLModel, table=True):
    """A mail that has to go out, written in the same commit as what it tells.

    States: ``queued``, ``sent``, ``kept`` (no SMTP is set), ``failed`` (given up). The text is made anew for
    each attempt and kept as it was in the last. ``message_id`` is the left side of the Message-ID; it never
    changes, so a repeat is recognised.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("purchase_id", "kind", "number", name="outbox_once"),
        Index("outbox_by_state", "state", "id"),
        Index(
            "outbox_due",
            "next_attempt_at",
            sqlite_where=text("next_attempt_at IS NOT NULL"),
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True, max_length=36)
    purchase_id: str = Field(foreign_key="purchases.id", max_length=36)
    kind: str = Field(max_length=32)
    number: int
    state: str = Field(max_length=16)
    recipient: str = Field(max_length=254)
    message_id: str = Field(max_length=200)
    subject: str | None = Field(default=None, sa_type=Text)
    text_body: str | None = Field(default=None, sa_type=Text)
    html_body: str | None = Field(default=None, sa_type=Text)
    attempts: int = 0
    last_error: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = _moment()
    next_attempt_at: datetime | None = _moment(default=None)
    sent_at: datetime | None = _moment(default=None)


class User(SQLModel, table=True):
    """Somebody who may sign in to the dashboard."""

    __tablename__ = "users"

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(max_length=64, unique=True)
    password_hash: str = Field(max_length=200)
    role: str = Field(max_length=16)
    created_at: datetime = _moment()


class ApiToken(SQLModel, table=True):
    """A bearer token for ``/api/v1``; only its hash is kept."""

    __tablename__ = "api_tokens"

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(max_length=64)
    token_hash: str = Field(max_length=64, unique=True)
    created_at: datetime = _moment()
    last_used_at: datetime | None = _moment(default=None)
    revoked_at: datetime | None = _moment(default=None)
