"""The tallies follow the journal: each row once, whoever folds, whenever it appears."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, delete, func, select, update

from orchestrator import tally
from orchestrator.database import Database, open_database
from orchestrator.identity import now
from orchestrator.journal import begin, mark, move
from orchestrator.purchase import load
from orchestrator.stamp import Stamp
from orchestrator.tables import journal, tallies, tally_progress, tally_totals
from orchestrator.tally import Slot, Sum, Tallies
from statemachine import Reason, Trigger
from tests.fixtures.dashboard import place
from tests.fixtures.tampering import unguarded
from tests.fixtures.uncommitted import uncommitted

STATES = ("received", "invoiced", "paid", "stocked", "failed")
MOVES: dict[str, list[tuple[Trigger, Reason | None]]] = {
    "received": [(Trigger.INVOICE, None), (Trigger.CANCEL, Reason.CANCELLED_BY_MERCHANT)],
    "invoiced": [(Trigger.PAY, None), (Trigger.CLOSE, Reason.EXPIRED)],
    "paid": [(Trigger.STOCK, None), (Trigger.REVERSE, Reason.REVERSED)],
    "failed": [(Trigger.RETRY, None), (Trigger.PAY, None)],
}


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Database]:
    """Another process on the same database."""
    opened = open_database(database_url)
    yield opened
    await opened.close()


def kept(connection: Connection) -> Tallies:
    """The table as it stands; rows that came to nothing are left out."""
    c = tallies.c
    rows = connection.execute(select(c.hour, c.state, c.currency, c.number, c.amount))
    return {Slot(*row[:3]): Sum(*row[3:]) for row in rows if row.number}


def kept_totals(connection: Connection) -> dict[tuple[str, str], tuple[int, Decimal]]:
    c = tally_totals.c
    rows = connection.execute(select(c.state, c.currency, c.number, c.amount))
    return {(row.state, row.currency): (row.number, row.amount) for row in rows if row.number}


def summed(counted: Tallies) -> dict[tuple[str, str], tuple[int, Decimal]]:
    sums: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for slot, sum_ in counted.items():
        number, amount = sums.get((slot.state, slot.currency), (0, Decimal(0)))
        sums[slot.state, slot.currency] = number + sum_.number, amount + sum_.amount
    return sums


def progress(connection: Connection) -> tuple[int, str]:
    c = tally_progress.c
    last, missing = connection.execute(select(c.last, c.missing)).one()
    return last, missing


def step_on(connection: Connection, purchase_id: str, chance: random.Random) -> None:
    """Something happens to a purchase, if anything can; sometimes only the mark changes."""
    purchase, stamp = load(connection, purchase_id), Stamp("test", now())
    if chance.random() < 0.2:
        mark(connection, purchase, None if purchase.attention else "Look!", stamp)
    elif purchase.state in MOVES:
        trigger, reason = chance.choice(MOVES[purchase.state])
        move(connection, purchase, trigger, stamp, "It moved.", reason=reason)


async def write_at_random(database: Database, chance: random.Random) -> None:
    """A writer: new purchases, old and new, in two currencies, and moves of its own."""
    mine: list[str] = []
    for _ in range(25):
        if not mine or chance.random() < 0.4:
            at = now() - timedelta(minutes=chance.randrange(3000))
            amount, currency = Decimal(chance.randrange(1, 10**6)).scaleb(-2), chance.choice(["SEK", "EUR"])
            state = chance.choice(STATES)
            mine.append(await database.write(place, state, at, amount=amount, currency=currency))
        else:
            await database.write(step_on, chance.choice(mine), chance)


async def fold_at_random(database: Database, chance: random.Random, writing: asyncio.Event) -> None:
    while writing.is_set():
        await tally.run_once(database)
        await asyncio.sleep(chance.random() / 50)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_several_fold_while_several_write_equals_the_recount(
    database: Database, other: Database, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "BATCH", 7)
    chance, writing = random.Random(seed), asyncio.Event()
    writing.set()
    folders = [
        asyncio.create_task(fold_at_random(process, random.Random(seed), writing))
        for process in (database, other)
    ]
    writers = (write_at_random(process, random.Random(chance.random())) for process in (database, other) * 2)
    await asyncio.gather(*writers)
    writing.clear()
    await asyncio.gather(*folders)
    await tally.run_once(database)
    counted = await database.read(tally.recount)
    assert await database.read(kept) == counted
    assert await database.read(kept_totals) == summed(counted)


async def test_numbers_are_right_before_anybody_has_folded(database: Database) -> None:
    await database.write(place, "paid")
    await database.write(place, "stocked", amount=Decimal("10.50"), currency="EUR")
    failed = await database.write(place, "failed")
    everything = now() - timedelta(hours=2)
    for _ in ("not folded", "folded"):
        expected = {"received": 0, "invoiced": 0, "paid": 1, "stocked": 1, "failed": 1}
        assert await database.read(tally.totals) == expected
        assert await database.read(tally.since, everything) == await database.read(tally.recount)
        await tally.run_once(database)
    await database.write(step_on, failed, random.Random(4))
    assert await database.read(tally.since, everything) == await database.read(tally.recount)


async def test_only_what_was_made_in_the_time_is_counted(database: Database) -> None:
    old, new = now() - timedelta(days=3), now()
    for at in (old, new):
        await database.write(place, "paid", at)
    await tally.run_once(database)
    for at in (old, new):
        await database.write(place, "paid", at)
    assert list(await database.read(tally.since, tally.hour_of(new))) == [
        Slot(tally.hour_of(new), "paid", "SEK")
    ]


async def test_two_who_fold_the_same_write_it_once(database: Database, other: Database) -> None:
    await database.write(place, "paid")
    mine, theirs = await database.read(tally.look, now()), await other.read(tally.look, now())
    assert await other.write(tally.take, theirs)
    assert not await database.write(tally.take, mine)
    assert await database.read(kept) == await database.read(tally.recount)


async def test_who_comes_second_leaves_it_to_the_first(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.write(place, "paid")
    stale = await database.read(tally.look, now())
    await tally.run_once(other)
    with monkeypatch.context() as patch:
        patch.setattr(tally, "look", lambda _connection, _at: stale)
        await tally.run_once(database)
    assert await database.read(kept) == await database.read(tally.recount)


async def test_an_older_database_is_folded_from_the_beginning_of_its_journal(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "BATCH", 2)
    for _ in range(5):
        await database.write(place, "stocked")
    first = await database.read(tally.look, now())
    assert await database.write(tally.take, first)
    assert (first.rows, first.after.last) == (2, 2)
    await tally.run_once(database)
    assert await database.read(kept) == await database.read(tally.recount)


async def test_an_idle_process_writes_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await database.write(place, "paid")
    await tally.run_once(database)

    async def refuse(*_: object) -> None:
        raise AssertionError("there was nothing to write")

    monkeypatch.setattr(database, "write", refuse)
    await tally.run_once(database)


def newest(connection: Connection) -> int:
    return int(connection.execute(select(func.max(journal.c.id))).scalar_one())


def forget(connection: Connection, id_: int) -> None:
    unguarded(connection, Connection.execute, delete(journal).where(journal.c.id == id_))


def leave_free(connection: Connection, id_: int) -> None:
    """SQLite gives the highest id again when its row is gone."""
    unguarded(connection, Connection.execute, update(journal).where(journal.c.id == id_).values(id=id_ + 1))


def age_the_missing(connection: Connection, by: timedelta) -> None:
    """As if the ids had been missed for so much longer."""
    step = tally.look(connection, now())
    older = {id_: at - by.total_seconds() for id_, at in step.before.missing.items()}
    connection.execute(update(tally_progress).values(tally.Progress(step.before.last, older).row()))


def begun(connection: Connection, purchase_id: str, id_: int, at: datetime) -> None:
    """A journal row with an id of its own, as if its commit had been late."""
    begin(connection, purchase_id, Stamp("test", at), "late")
    late = update(journal).where(journal.c.id == newest(connection)).values(id=id_)
    unguarded(connection, Connection.execute, late)


async def with_a_gap(database: Database) -> tuple[str, int]:
    """Two folded purchases, and a third whose only journal row is missing; returns its id and the row's."""
    await database.write(place, "received")
    late = await database.write(place, "received")
    gap = await database.read(newest)
    await database.write(forget, gap)
    await database.write(place, "received")
    await database.write(leave_free, gap)
    return late, gap


async def test_a_row_that_appears_late_is_counted(database: Database) -> None:
    late, gap = await with_a_gap(database)
    await tally.run_once(database)
    assert summed(await database.read(kept))["received", "SEK"][0] == 2
    assert str(gap) in (await database.read(progress))[1]
    await database.write(begun, late, gap, now())
    assert (await database.read(tally.totals))["received"] == 3
    await tally.run_once(database)
    assert await database.read(kept) == await database.read(tally.recount)
    assert (await database.read(progress))[1] == "{}"


async def test_a_row_that_never_appears_is_waited_for_a_minute(database: Database) -> None:
    _, gap = await with_a_gap(database)
    await tally.run_once(database)
    await database.write(age_the_missing, timedelta(seconds=50))
    await tally.run_once(database)
    assert str(gap) in (await database.read(progress))[1]
    await database.write(age_the_missing, timedelta(seconds=20))
    await tally.run_once(database)
    assert (await database.read(progress))[1] == "{}"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_postgresql_commits_a_lower_id_after_a_higher_one(
    database: Database, database_url: str
) -> None:
    """With a real transaction that stays open while another one overtakes it."""
    async with uncommitted(database_url, place, "received"):
        await database.write(place, "paid")
        await tally.run_once(database)
        assert (await database.read(tally.totals))["received"] == 0
    await tally.run_once(database)
    assert await database.read(kept) == await database.read(tally.recount)
