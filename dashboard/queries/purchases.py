"""The list of purchases: one page of it, its counts, one of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from orchestrator.money import Money
from orchestrator.tables import purchases
from statemachine import State

PAGE = 50
"""Rows on a page."""

_P = purchases.c
_SEARCHED = (_P.customer_name, _P.customer_email, _P.customer_msisdn, _P.title, _P.purchase_token)
_COLUMNS: tuple[Any, ...] = (
    _P.id,
    _P.state,
    _P.reason,
    _P.attention,
    _P.revision,
    _P.title,
    _P.amount,
    _P.currency,
    _P.customer_name,
    _P.invoice_reference,
    _P.ers_reference,
    _P.created_at,
)


@dataclass(frozen=True, slots=True)
class PurchaseRow:
    """A purchase as the list shows it."""

    id: str
    state: str
    reason: str | None
    attention: str | None
    revision: int
    title: str
    amount: Money
    customer: str
    invoice_reference: str | None
    ers_reference: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Filter:
    """Which purchases: in one state (empty for all), with an attention mark, found by ``q``."""

    state: str = ""
    attention: bool = False
    q: str = ""

    def lets_in(self, row: PurchaseRow) -> bool:
        """Whether the row belongs to the list, as far as the row alone can tell: a search lets nothing in."""
        return not self.q and self.state in ("", row.state) and (not self.attention or bool(row.attention))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: below the id ``older`` or above the id ``newer``; at the newest with neither."""

    older: str = ""
    newer: str = ""


@dataclass(frozen=True, slots=True)
class PurchasePage:
    """Newest first. ``older`` and ``newer`` are the ids to go on from, empty where there is nothing more."""

    rows: tuple[PurchaseRow, ...]
    older: str
    newer: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many purchases there are in each state, and how many need a hand."""

    by_state: dict[str, int]
    attention: int

    @property
    def total(self) -> int:
        return sum(self.by_state.values())


def read_page(connection: Connection, which: Filter, place: Place, size: int = PAGE) -> PurchasePage:
    """One page, read from its place on by key: as quick far down as at the top."""
    upwards = bool(place.newer)
    statement = select(*_COLUMNS).where(*_conditions(which)).limit(size + 1)
    if upwards:
        statement = statement.where(_P.id > place.newer).order_by(_P.id)
    else:
        statement = statement.order_by(_P.id.desc())
        statement = statement.where(_P.id < place.older) if place.older else statement
    rows = [_row(row) for row in connection.execute(statement)]
    more, rows = len(rows) > size, rows[:size]
    if upwards:
        rows.reverse()
    return _page(rows, older=more or upwards, newer=more if upwards else bool(place.older))


def read_row(connection: Connection, purchase_id: str) -> PurchaseRow | None:
    """One purchase as the list shows it."""
    row = connection.execute(select(*_COLUMNS).where(_P.id == purchase_id)).one_or_none()
    return None if row is None else _row(row)


def count(connection: Connection) -> Counts:
    """Every state is named, also those without a purchase."""
    counted = connection.execute(select(_P.state, func.count()).group_by(_P.state))
    marked = connection.execute(select(func.count()).where(_P.attention.is_not(None))).scalar_one()
    return Counts({state.value: 0 for state in State} | {row[0]: row[1] for row in counted}, marked)


def _page(rows: list[PurchaseRow], *, older: bool, newer: bool) -> PurchasePage:
    if not rows:
        return PurchasePage((), "", "")
    return PurchasePage(tuple(rows), rows[-1].id if older else "", rows[0].id if newer else "")


def _conditions(which: Filter) -> Iterator[ColumnElement[bool]]:
    if which.state:
        yield _P.state == which.state
    if which.attention:
        yield _P.attention.is_not(None)
    if which.q:
        yield _found_by(which.q)


def _found_by(text: str) -> ColumnElement[bool]:
    """Ids and references as a whole, or from their beginning; everything a person types anywhere within."""
    references = (_P.invoice_reference == text, _P.ers_reference == text)
    within = (column.icontains(text, autoescape=True) for column in _SEARCHED)
    return or_(_P.id.startswith(text.lower(), autoescape=True), *references, *within)


def _row(row: Row[Any]) -> PurchaseRow:
    return PurchaseRow(
        id=row.id,
        state=row.state,
        reason=row.reason,
        attention=row.attention,
        revision=row.revision,
        title=row.title,
        amount=Money(row.amount, row.currency),
        customer=row.customer_name,
        invoice_reference=row.invoice_reference,
        ers_reference=row.ers_reference,
        created_at=row.created_at,
    )
