"""The tallies: how many purchases are in which state, by the hour in which they were made.

A page cannot count a million purchases each time that somebody looks. So the journal is folded into small
tables: each of its rows moves one purchase from one state to another, and is counted exactly once. Any number
of processes may fold at the same time, without a leader: what has been folded advances by compare-and-set,
in the commit that changes the tallies.

Whoever reads adds what is not folded yet, so that numbers are never behind the list beside them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.database import Database
from orchestrator.identity import now
from orchestrator.tables import journal, purchases, tallies, tally_progress, tally_totals
from statemachine import State

BATCH = 2000
"""Journal rows that are folded in one commit."""
PATIENCE = timedelta(minutes=1)
"""For so long a skipped id is looked for: PostgreSQL gives ids before it commits."""

_MOST_MISSING = 1000
_INSERTS: dict[str, Callable[[Table], postgresql.Insert | sqlite.Insert]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


class Slot(NamedTuple):
    """What is counted together: purchases made in one hour (UTC), in one state now, in one currency."""

    hour: datetime
    state: str
    currency: str


class Sum(NamedTuple):
    """How many purchases, and what they amount to together."""

    number: int
    amount: Decimal


Tallies = dict[Slot, Sum]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the journal is folded: up to the id ``last``, but for the ``missing`` ones, which are waited
    for since the time beside each (seconds since 1970)."""

    last: int
    missing: Mapping[int, float]

    def row(self) -> dict[str, Any]:
        """As the table keeps it."""
        return {"last": self.last, "missing": json.dumps({str(id_): at for id_, at in self.missing.items()})}


@dataclass(frozen=True, slots=True)
class Step:
    """What folding the next rows would do: the changes, and the progress before and after them."""

    before: Progress
    after: Progress
    changes: Tallies
    rows: int


async def run_once(database: Database) -> None:
    """Fold all that is new, a batch at a time: others write in between. Nothing new costs one small read."""
    while True:
        step = await database.read(look, now())
        if step.before != step.after and not await database.write(take, step):
            return  # another process folds: what is left is its business, or the next run's
        if step.rows < BATCH:
            return


def look(connection: Connection, at: datetime) -> Step:
    """What the next batch of the journal would change."""
    before = _progress(connection)
    rows = _rows(connection, journal.c.id > before.last)
    found = _rows(connection, journal.c.id.in_(before.missing)) if before.missing else []
    after = _advanced(before, [row.id for row in rows], {row.id for row in found}, at)
    return Step(before, after, _changes([*rows, *found]), len(rows))


def take(connection: Connection, step: Step) -> bool:
    """Write the step, unless somebody else has gone on from there: returns whether it was written."""
    c, before = tally_progress.c, step.before.row()
    unchanged = (c.last == before["last"], c.missing == before["missing"])
    if connection.execute(update(tally_progress).where(*unchanged).values(step.after.row())).rowcount == 0:
        return False
    if changes := {slot: sum_ for slot, sum_ in step.changes.items() if any(sum_)}:
        _add(connection, tallies, [{**slot._asdict(), **sum_._asdict()} for slot, sum_ in changes.items()])
        _add(connection, tally_totals, _totals_of(changes))
    return True


def totals(connection: Connection) -> dict[str, int]:
    """How many purchases are in each state now. Every state is named, also those without a purchase."""
    counted = dict.fromkeys((state.value for state in State), 0)
    c = tally_totals.c
    for state, number in connection.execute(select(c.state, func.sum(c.number)).group_by(c.state)):
        counted[state] += number
    for slot, sum_ in look(connection, now()).changes.items():
        counted[slot.state] += sum_.number
    return {state: max(number, 0) for state, number in counted.items()}


def attention(connection: Connection) -> int:
    """How many purchases need a hand now."""
    statement = select(func.count()).select_from(purchases).where(purchases.c.attention.is_not(None))
    return int(connection.execute(statement).scalar_one())


def since(connection: Connection, start: datetime) -> Tallies:
    """The tallies of purchases made from ``start`` on, which is a full hour."""
    c = tallies.c
    statement = select(c.hour, c.state, c.currency, c.number, c.amount).where(c.hour >= start)
    counted = {Slot(*row[:3]): Sum(*row[3:]) for row in connection.execute(statement)}
    for slot, change in look(connection, now()).changes.items():
        if slot.hour >= start:
            counted[slot] = _plus(counted.get(slot), change)
    return {slot: sum_ for slot, sum_ in counted.items() if sum_.number > 0}


def recount(connection: Connection) -> Tallies:
    """The same from the purchases themselves: it reads them all."""
    c = purchases.c
    counted: Tallies = {}
    for created_at, state, currency, amount in connection.execute(
        select(c.created_at, c.state, c.currency, c.amount)
    ):
        slot = Slot(hour_of(created_at), state, currency)
        counted[slot] = _plus(counted.get(slot), Sum(1, amount))
    return counted


def hour_of(at: datetime) -> datetime:
    """The full hour (UTC) in which a moment lies."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _progress(connection: Connection) -> Progress:
    c = tally_progress.c
    last, missing = connection.execute(select(c.last, c.missing)).one()
    return Progress(last, {int(id_): at for id_, at in json.loads(missing).items()})


def _rows(connection: Connection, which: ColumnElement[bool]) -> list[Row[Any]]:
    """Journal rows, lowest id first, each with what is to be known of its purchase."""
    statement = (
        select(
            journal.c.id,
            journal.c.source,
            journal.c.target,
            purchases.c.created_at,
            purchases.c.currency,
            purchases.c.amount,
        )
        .join(purchases, purchases.c.id == journal.c.purchase_id)
        .where(which)
        .order_by(journal.c.id)
        .limit(BATCH)
    )
    return list(connection.execute(statement))


def _advanced(before: Progress, ids: list[int], found: set[int], at: datetime) -> Progress:
    """Past ``ids``. What was skipped is missing from now on; what was missed for too long was undone."""
    last = max([before.last, *ids])
    skipped = set(range(max(before.last, last - _MOST_MISSING) + 1, last)) - set(ids)
    oldest = (at - PATIENCE).timestamp()
    missing = {id_: since for id_, since in before.missing.items() if id_ not in found and since >= oldest}
    missing |= dict.fromkeys(skipped, at.timestamp())
    return Progress(last, dict(sorted(missing.items())[-_MOST_MISSING:]))


def _changes(rows: Iterable[Row[Any]]) -> Tallies:
    """One more in the state that each row leads to, one less in the one that it leaves."""
    changes: Tallies = {}
    for row in rows:
        if row.source == row.target:
            continue
        hour = hour_of(row.created_at)
        arrived = Slot(hour, row.target, row.currency)
        changes[arrived] = _plus(changes.get(arrived), Sum(1, row.amount))
        if row.source is not None:
            left = Slot(hour, row.source, row.currency)
            changes[left] = _plus(changes.get(left), Sum(-1, -row.amount))
    return changes


def _plus(one: Sum | None, other: Sum) -> Sum:
    return other if one is None else Sum(one.number + other.number, one.amount + other.amount)


def _totals_of(changes: Tallies) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str], Sum] = {}
    for slot, change in changes.items():
        key = slot.state, slot.currency
        sums[key] = _plus(sums.get(key), change)
    return [
        {"state": state, "currency": currency, **sum_._asdict()} for (state, currency), sum_ in sums.items()
    ]


def _add(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Add to the rows with the same key, or make them."""
    insert = _INSERTS[connection.dialect.name](table)
    more = {name: table.c[name] + insert.excluded[name] for name in ("number", "amount")}
    key = [column.name for column in table.primary_key]
    connection.execute(insert.on_conflict_do_update(index_elements=key, set_=more), rows)
