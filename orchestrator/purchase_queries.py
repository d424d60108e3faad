"""What people and scripts read about purchases: plain rows, newest first. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, Row, select

from orchestrator import listing
from orchestrator.listing import Place
from orchestrator.money import Money
from orchestrator.purchase import PurchaseUnknown
from orchestrator.selection import Filter
from orchestrator.tables import exchanges, journal, purchases

MOST_EXCHANGES = 500
"""Of a purchase's SEQR calls, so many are shown: the latest."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Who ordered, and where it goes, as createPurchase said."""

    name: str
    street: str
    city: str
    state: str
    zip: str
    country: str
    email: str
    msisdn: str


@dataclass(frozen=True, slots=True)
class PurchaseRecord:
    """One purchase as it is shown."""

    id: str
    state: str
    reason: str | None
    attention: str | None
    purchase_token: str
    title: str
    amount: Money
    invoice_reference: str | None
    invoice_qr_code: str | None
    ers_reference: str | None
    customer: Customer
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class TransitionRecord:
    """One row of a purchase's journal; source and target are equal where only the attention changed."""

    at: datetime
    trigger: str
    source: str | None
    target: str
    actor: str
    detail: str


@dataclass(frozen=True, slots=True)
class ExchangeRecord:
    """One call to SEQR about a purchase, credentials masked. ``outcome`` is a name of ``Verdict``."""

    at: datetime
    operation: str
    outcome: str
    result_code: int | None
    detail: str
    duration_ms: float
    request: str
    response: str


@dataclass(frozen=True, slots=True)
class PurchasePage:
    """Some purchases; ``last_id`` is where the next page begins, None when there is none."""

    items: tuple[PurchaseRecord, ...]
    last_id: str | None


_CUSTOMER = [purchases.c[f"customer_{name}"] for name in Customer.__slots__]
_PURCHASE = [
    purchases.c[name]
    for name in ("id", "state", "reason", "attention", "purchase_token", "title", "amount", "currency")
]
_REFERENCES = [purchases.c[name] for name in ("invoice_reference", "invoice_qr_code", "ers_reference")]
_TIMES = [purchases.c.created_at, purchases.c.updated_at]
_SELECT = select(*_PURCHASE, *_REFERENCES, *_CUSTOMER, *_TIMES)


def page(connection: Connection, which: Filter, limit: int, after: str | None = None) -> PurchasePage:
    """The first ``limit`` purchases that match, or those that follow the one with the id ``after``."""
    found = listing.page(connection, which, limit, Place(after) if after else None)
    items = tuple(records(connection, found.ids))
    return PurchasePage(items, items[-1].id if found.more else None)


def records(connection: Connection, ids: Sequence[str]) -> list[PurchaseRecord]:
    """The purchases with these ids, in their order."""
    found = {
        record.id: record
        for record in map(_record, connection.execute(_SELECT.where(purchases.c.id.in_(ids))))
    }
    return [found[id_] for id_ in ids]


def find(connection: Connection, purchase_id: str) -> PurchaseRecord:
    """One purchase. Raises PurchaseUnknown."""
    row = connection.execute(_SELECT.where(purchases.c.id == purchase_id)).one_or_none()
    if row is None:
        raise PurchaseUnknown(f"There is no purchase {purchase_id}.")
    return _record(row)


def transitions(connection: Connection, purchase_id: str) -> list[TransitionRecord]:
    """What happened to a purchase, oldest first."""
    columns = [journal.c[name] for name in TransitionRecord.__slots__]
    statement = select(*columns).where(journal.c.purchase_id == purchase_id).order_by(journal.c.sequence)
    return [TransitionRecord(*row) for row in connection.execute(statement)]


def exchanges_of(connection: Connection, purchase_id: str) -> list[ExchangeRecord]:
    """The latest ``MOST_EXCHANGES`` calls to SEQR about a purchase, oldest first."""
    kept = exchanges.c
    statement = (
        select(
            kept.started_at,
            kept.operation,
            kept.verdict,
            kept.result_code,
            kept.detail,
            kept.duration_ms,
            kept.request,
            kept.response,
        )
        .where(kept.purchase_id == purchase_id)
        .order_by(kept.started_at.desc(), kept.id.desc())
        .limit(MOST_EXCHANGES)
    )
    return [ExchangeRecord(*row) for row in connection.execute(statement)][::-1]


def _record(row: Row[tuple[object, ...]]) -> PurchaseRecord:
    found = row._mapping  # SQLAlchemy's public name for a row by column
    amount: Decimal = found[purchases.c.amount]
    shown = {
        column.name: found[column]
        for column in (*_PURCHASE, *_REFERENCES, *_TIMES)
        if column.name != "currency"
    }
    shown["amount"] = Money(amount, found[purchases.c.currency])
    return PurchaseRecord(**shown, customer=Customer(*(found[column] for column in _CUSTOMER)))
