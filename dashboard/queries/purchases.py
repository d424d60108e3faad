"""The list of purchases: one page of it, its counts, one of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from orchestrator import listing, tally
from orchestrator.listing import Place
from orchestrator.money import Money
from orchestrator.search import Query
from orchestrator.selection import Filter
from orchestrator.tables import purchases

PAGE = 50
"""Rows on a page."""

_P = purchases.c
_COLUMNS: tuple[Any, ...] = (
    _P.id,
    _P.state,
    _P.reason,
    _P.attention,
    _P.revision,
    _P.title,
    _P.purchase_token,
    _P.amount,
    _P.currency,
    _P.customer_name,
    _P.invoice_reference,
    _P.ers_reference,
    _P.created_at,
    _P.search_text,
)


@dataclass(frozen=True, slots=True)
class PurchaseRow:
    """A purchase as the list shows it, and what it is found by."""

    id: str
    state: str
    reason: str | None
    attention: str | None
    revision: int
    title: str
    token: str
    amount: Money
    customer: str
    invoice_reference: str | None
    ers_reference: str | None
    created_at: datetime
    search_text: str


@dataclass(frozen=True, slots=True)
class PurchasePage:
    """Rows in the list's order. ``after`` and ``before`` are the ids to go on from, empty at the ends."""

    rows: tuple[PurchaseRow, ...]
    after: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many purchases there are in each state, and how many need a hand."""

    by_state: dict[str, int]
    attention: int

    @property
    def total(self) -> int:
        return sum(self.by_state.values())


def read_page(
    connection: Connection, which: Filter, place: Place | None = None, size: int = PAGE
) -> PurchasePage:
    """One page, read from its place on by key: as quick far down as at the top."""
    found = listing.page(connection, which, size, place)
    rows = read_rows(connection, found.ids)
    if not rows:
        return PurchasePage(())
    backwards = place is not None and place.backwards
    more_after, more_before = (True, found.more) if backwards else (found.more, place is not None)
    return PurchasePage(tuple(rows), rows[-1].id if more_after else "", rows[0].id if more_before else "")


def read_rows(connection: Connection, ids: tuple[str, ...]) -> list[PurchaseRow]:
    """The purchases with these ids, in their order; those that are there."""
    if not ids:
        return []
    found = {row.id: row for row in map(_row, connection.execute(select(*_COLUMNS).where(_P.id.in_(ids))))}
    return [found[id_] for id_ in ids if id_ in found]


def read_changed(
    connection: Connection, ids: tuple[str, ...], counts: Counts | None = None
) -> tuple[list[PurchaseRow], Counts]:
    """The purchases that have changed, and what that makes of the counts if they are not known."""
    return read_rows(connection, ids), counts or count(connection)


def lets_in(which: Filter, query: Query | None, row: PurchaseRow) -> bool:
    """Whether a purchase as it is now belongs to the list; ``query`` is how ``which.q`` was understood."""
    return all(_fits(which, row)) and (query is None or query.finds(row.id, row.search_text, row.token))


def count(connection: Connection) -> Counts:
    """Every state is named, also those without a purchase."""
    return Counts(tally.totals(connection), tally.attention(connection))


def _fits(which: Filter, row: PurchaseRow) -> Iterator[bool]:
    yield not which.states or row.state in which.states
    yield not which.reason or row.reason == which.reason
    yield not which.attention or bool(row.attention)
    yield which.since is None or row.created_at >= which.since
    yield which.until is None or row.created_at < which.until
    yield which.low is None or row.amount.value >= which.low
    yield which.high is None or row.amount.value <= which.high


def _row(row: Row[Any]) -> PurchaseRow:
    return PurchaseRow(
        id=row.id,
        state=row.state,
        reason=row.reason,
        attention=row.attention,
        revision=row.revision,
        title=row.title,
        token=row.purchase_token,
        amount=Money(row.amount, row.currency),
        customer=row.customer_name,
        invoice_reference=row.invoice_reference,
        ers_reference=row.ers_reference,
        created_at=row.created_at,
        search_text=row.search_text,
    )
