"""The overview: what was sold, what needs a hand, what has just happened. Nothing reads a whole table."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Select, Subquery, func, literal_column, or_, select

from dashboard.queries.doubt import is_outage, read_reversed
from dashboard.window import Window
from orchestrator import pulse, tally
from orchestrator.money import Money
from orchestrator.tables import journal, products, purchase_lines, purchases
from orchestrator.tally import Tallies
from statemachine import State

SOLD = (State.PAID.value, State.STOCKED.value)
"""The states in which the money is ours."""
PAYMENTS = 500
"""From so many of the latest payments the time to pay is told."""
SHOWN = 20
"""Rows of what needs a hand."""
LATEST = 12
"""Rows of what has just happened."""


@dataclass(frozen=True, slots=True)
class Figure:
    """So many purchases, and what they amount to in each currency, the largest sum first."""

    number: int
    money: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """Purchases made from ``start`` until ``end``: all of them, and those that are sold by now."""

    start: datetime
    end: datetime
    created: int
    sold: int


@dataclass(frozen=True, slots=True)
class TimeToPay:
    """From invoice to payment, over the latest ``PAYMENTS`` payments. Times are in seconds."""

    payments: int
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a window adds up to."""

    window: Window
    states: dict[str, Figure]
    """Every state is there."""
    created: Figure
    sold: Figure
    bars: tuple[Bar, ...]
    time_to_pay: TimeToPay | None

    @property
    def conversion(self) -> Decimal | None:
        """Of a hundred purchases made, how many are sold; None when none was made."""
        if not self.created.number:
            return None
        return (Decimal(100) * self.sold.number / self.created.number).quantize(Decimal(1))


@dataclass(frozen=True, slots=True)
class Needy:
    """A purchase that needs a hand, since when; ``missing`` is the product that the stock lacks for it."""

    id: str
    state: str
    attention: str
    revision: int
    customer: str
    title: str
    amount: Money
    since: datetime
    missing: str | None


@dataclass(frozen=True, slots=True)
class Happened:
    """A journal row and its purchase."""

    id: int
    purchase_id: str
    at: datetime
    trigger: str
    source: str | None
    target: str
    customer: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Board:
    """All that the overview shows of purchases."""

    figures: Figures
    needy: tuple[Needy, ...]
    attention: int
    """How many need a hand in all."""
    reversed: int
    """How many of the window were paid, and SEQR gave the money back."""
    outage: bool
    """SEQR does not answer, so nobody can tell who has paid."""
    happened: tuple[Happened, ...]


def read_board(connection: Connection, window: Window) -> Board:
    """Everything at once, as it is at one moment."""
    return Board(
        figures=read_figures(connection, window),
        needy=read_needy(connection),
        attention=tally.attention(connection),
        reversed=read_reversed(connection, window),
        outage=is_outage(pulse.read(connection, window.at)),
        happened=read_happened(connection),
    )


def read_figures(connection: Connection, window: Window) -> Figures:
    """The window's numbers, from the tallies."""
    tallies = tally.since(connection, window.since)
    states = {state.value: _figure(tallies, {state.value}) for state in State}
    created, sold = _figure(tallies, set(states)), _figure(tallies, set(SOLD))
    return Figures(window, states, created, sold, _bars(tallies, window), _time_to_pay(connection, window))


def read_needy(connection: Connection) -> tuple[Needy, ...]:
    """The latest that need a hand, newest first."""
    c = purchases.c
    columns = (c.id, c.state, c.attention, c.revision, c.customer_name, c.title, c.amount, c.currency)
    statement: Select[Any] = select(*columns, c.holds_stock, c.updated_at)
    statement = statement.where(c.attention.is_not(None)).order_by(c.id.desc()).limit(SHOWN)
    found = connection.execute(statement).all()
    ids = [row.id for row in found]
    marked, missing = _marked(connection, ids), _missing(connection, found)
    return tuple(
        Needy(
            row.id,
            row.state,
            row.attention,
            row.revision,
            row.customer_name,
            row.title,
            Money(row.amount, row.currency),
            marked.get(row.id, row.updated_at),
            missing.get(row.id),
        )
        for row in found
    )


def read_happened(connection: Connection) -> tuple[Happened, ...]:
    """The journal's latest rows, newest first."""
    j, p = journal.c, purchases.c
    columns = (j.id, j.purchase_id, j.at, j.trigger, j.source, j.target, p.customer_name)
    statement = (
        select(*columns, p.amount, p.currency)
        .join(purchases, p.id == j.purchase_id)
        .order_by(j.id.desc())
        .limit(LATEST)
    )
    return tuple(Happened(*row[:7], Money(row.amount, row.currency)) for row in connection.execute(statement))


def _figure(tallies: Tallies, states: set[str]) -> Figure:
    number, money = 0, defaultdict[str, Decimal](Decimal)
    for slot, sum_ in tallies.items():
        if slot.state in states:
            number += sum_.number
            money[slot.currency] += sum_.amount
    largest_first = sorted(money.items(), key=lambda pair: (-pair[1], pair[0]))
    return Figure(number, tuple(Money(amount, currency) for currency, amount in largest_first))


def _bars(tallies: Tallies, window: Window) -> tuple[Bar, ...]:
    created, sold = [0] * len(window.edges), [0] * len(window.edges)
    for slot, sum_ in tallies.items():
        bar = bisect_right(window.edges, slot.hour) - 1
        created[bar] += sum_.number
        sold[bar] += sum_.number if slot.state in SOLD else 0
    return tuple(Bar(start, end, created[bar], sold[bar]) for bar, (start, end) in enumerate(window.bars))


def _time_to_pay(connection: Connection, window: Window) -> TimeToPay | None:
    """Of purchases made in the window. The payments are limited before anything is joined to them."""
    paid, invoiced = _payments(window), journal.alias("invoiced")
    issued_at = (
        select(func.max(invoiced.c.at))
        .where(
            invoiced.c.purchase_id == paid.c.purchase_id,
            invoiced.c.sequence < paid.c.sequence,
            invoiced.c.target == State.INVOICED.value,
            invoiced.c.source.is_distinct_from(State.INVOICED.value),
        )
        .scalar_subquery()
    )
    c = purchases.c
    # What is looked for is told from the rows: asked for it, SQLite would begin with all that is sold.
    statement = select(paid.c.at, issued_at, c.created_at, c.state).join(
        purchases, c.id == paid.c.purchase_id
    )
    seconds = sorted(
        (paid_at - issued).total_seconds()
        for paid_at, issued, created_at, state in connection.execute(statement)
        if issued is not None and created_at >= window.since and state in SOLD
    )
    if not seconds:
        return None
    return TimeToPay(len(seconds), _rank(seconds, 50), _rank(seconds, 95))


def _payments(window: Window) -> Subquery:
    """The latest moves to paid. Literal texts: only so does SQLite use the index of just these rows."""
    c = journal.c
    return (
        select(c.purchase_id, c.sequence, c.at)
        .where(c.target == literal_column("'paid'"), c.source != literal_column("'paid'"))
        .where(c.at >= window.since)
        .order_by(c.at.desc())
        .limit(PAYMENTS)
        .subquery("paid")
    )


def _rank(ordered: list[float], percent: int) -> float:
    """The value that so many percent of the others do not exceed (nearest rank)."""
    return ordered[max(-(-len(ordered) * percent // 100), 1) - 1]


def _marked(connection: Connection, ids: list[str]) -> dict[str, datetime]:
    """Since when they bear a mark, though its words may have changed meanwhile."""
    j, earlier = journal.c, journal.alias("earlier")
    unmarked = or_(earlier.c.trigger == "attention_over", earlier.c.source.is_distinct_from(earlier.c.target))
    ended = (
        select(func.max(earlier.c.sequence))
        .where(earlier.c.purchase_id == j.purchase_id, unmarked)
        .scalar_subquery()
    )
    statement = select(j.purchase_id, func.min(j.at)).where(
        j.purchase_id.in_(ids), j.trigger == "attention", j.sequence > func.coalesce(ended, 0)
    )
    return {row[0]: row[1] for row in connection.execute(statement.group_by(j.purchase_id))}


def _missing(connection: Connection, found: Sequence[Row[Any]]) -> dict[str, str]:
    """By paid purchase, the first product that the stock lacks for it now."""
    held = {row.id: row.holds_stock for row in found if row.state == State.PAID.value}
    c = purchase_lines.c
    statement = (
        select(c.purchase_id, c.product_token, func.sum(c.quantity), products.c.on_hand, products.c.reserved)
        .join(products, products.c.token == c.product_token)
        .where(c.purchase_id.in_(list(held)), c.kind.in_(("goods", "stock")))
        .group_by(c.purchase_id, c.product_token, products.c.on_hand, products.c.reserved)
        .order_by(c.purchase_id, c.product_token)
    )
    missing: dict[str, str] = {}
    for purchase_id, token, quantity, on_hand, reserved in connection.execute(statement):
        free = on_hand if held[purchase_id] else on_hand - reserved
        if free < quantity:
            missing.setdefault(purchase_id, token)
    return missing
