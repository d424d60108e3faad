"""What people and scripts read about purchases: plain rows, newest first. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, Row, or_, select

from orchestrator.money import Money
from orchestrator.purchase import PurchaseUnknown
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
class PurchaseFilter:
    """Which purchases: in one of ``states`` (all when empty), with ``text`` in them, made from ``since``
    until just before ``until``."""

    states: tuple[str, ...] = ()
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


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

_EXACT = (purchases.c.id, purchases.c.invoice_reference, purchases.c.ers_reference)
_WITHIN = (
    purchases.c.customer_name,
    purchases.c.customer_email,
    purchases.c.customer_msisdn,
    purchases.c.purchase_token,
    purchases.c.title,
)


def page(
    connection: Connection, wanted: PurchaseFilter, limit: int, after: str | None = None
) -> PurchasePage:
    """The newest ``limit`` purchases that match, or those that follow the one with the id ``after``."""
    statement = _SELECT.where(*_conditions(wanted)).order_by(purchases.c.id.desc()).limit(limit + 1)
    if after is not None:
        statement = statement.where(purchases.c.id < after)
    found = [_record(row) for row in connection.execute(statement)]
    shown = tuple(found[:limit])
    return PurchasePage(shown, shown[-1].id if len(found) > limit else None)


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


def _conditions(wanted: PurchaseFilter) -> Iterable[ColumnElement[bool]]:
    if wanted.states:
        yield purchases.c.state.in_(wanted.states)
    if wanted.since is not None:
        yield purchases.c.created_at >= wanted.since
    if wanted.until is not None:
        yield purchases.c.created_at < wanted.until
    if wanted.text:
        yield or_(*_matches(wanted.text))


def _matches(text: str) -> Iterable[ColumnElement[bool]]:
    """References match whole, the rest anywhere in it and in either case."""
    for column in _EXACT:
        yield column == text
    for spelling in _spellings(text):
        for column in _WITHIN:
            yield column.icontains(spelling, autoescape=True)


def _spellings(text: str) -> set[str]:
    """SQLite tells the case of letters beyond ASCII apart, so these are looked for in each."""
    return {text} if text.isascii() else {text, text.lower(), text.upper(), text.title()}
