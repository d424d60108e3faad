"""Units of work: whole or not at all, each by itself, run again when they lost a race."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from orchestrator import journal, postgresql, watch
from orchestrator.database import Database, DatabaseUnavailable, LostRace, open_database
from orchestrator.identity import now
from orchestrator.postgresql import PostgresqlDatabase
from orchestrator.purchase import PurchaseUnknown, load, lock
from orchestrator.stamp import Stamp
from orchestrator.tables import journal as journal_table
from orchestrator.tables import products, users
from statemachine import Reason, Trigger
from tests.fixtures.desk import Desk


def add(connection: Connection, token: str, on_hand: int = 0) -> str:
    at = now()
    row = {"token": token, "title": "T", "price": 1, "currency": "SEK", "tax_rate": 0, "for_sale": True}
    stock = {"on_hand": on_hand, "reserved": 0, "created_at": at, "updated_at": at}
    connection.execute(insert(products).values(row | stock))
    return token


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(products)).scalar_one()


def increase(connection: Connection, token: str) -> None:
    connection.execute(
        update(products).where(products.c.token == token).values(on_hand=products.c.on_hand + 1)
    )


def on_hand(connection: Connection, token: str) -> int:
    return int(connection.execute(select(products.c.on_hand).where(products.c.token == token)).scalar_one())


async def test_what_was_written_is_there_for_whoever_reads_next(database: Database) -> None:
    assert await database.write(add, "a") == "a"
    assert await database.read(count) == 1


async def test_what_goes_wrong_does_not_tell_the_values(database: Database) -> None:
    def twice(connection: Connection) -> None:
        for _ in range(2):
            user = {"id": "1", "name": "ada", "role": "admin", "created_at": now()}
            connection.execute(insert(users).values(password_hash="hunter2-hunter2", **user))

    with pytest.raises(IntegrityError) as caught:
        await database.write(twice)
    assert "INSERT INTO users" in str(caught.value)
    assert "hunter2" not in str(caught.value)


async def test_a_unit_that_fails_leaves_nothing_behind(database: Database) -> None:
    def half(connection: Connection) -> None:
        add(connection, "a")
        raise ValueError("broken in the middle")

    with pytest.raises(ValueError, match="broken in the middle"):
        await database.write(half)
    assert await database.read(count) == 0


async def test_a_failing_unit_does_not_undo_its_neighbours(database: Database) -> None:
    await database.write(add, "taken")
    tokens = ["a", "taken", "b", "taken", "c"]
    results = await asyncio.gather(*[database.write(add, token) for token in tokens], return_exceptions=True)
    assert [result if isinstance(result, str) else type(result) for result in results] == [
        "a",
        IntegrityError,
        "b",
        IntegrityError,
        "c",
    ]
    assert await database.read(count) == 4


async def test_units_at_the_same_time_lose_no_update(database: Database) -> None:
    await database.write(add, "a")
    await asyncio.gather(*[database.write(increase, "a") for _ in range(60)])
    assert await database.read(on_hand, "a") == 60


async def test_a_constraint_stands_behind_the_code(database: Database) -> None:
    with pytest.raises(IntegrityError):
        await database.write(add, "a", -1)
    assert await database.read(count) == 0


async def test_a_lost_race_runs_again_and_what_it_did_before_is_undone(database: Database) -> None:
    runs = []

    def unlucky(connection: Connection) -> str:
        runs.append(count(connection))
        add(connection, "a")
        if len(runs) < 3:
            raise LostRace
        return "won"

    assert await database.write(unlucky) == "won"
    assert runs == [0, 0, 0]
    assert await database.read(count) == 1


async def test_who_loses_again_and_again_is_told_to_come_later(database: Database) -> None:
    runs = []

    def hopeless(connection: Connection) -> None:
        runs.append(1)
        raise LostRace

    with pytest.raises(LostRace) as lost:
        await database.write(hopeless)
    assert lost.value.retryable
    assert len(runs) == 8


async def test_a_caller_who_gives_up_does_not_break_the_others(database: Database) -> None:
    writes = [asyncio.create_task(database.write(add, f"p{number}")) for number in range(20)]
    await asyncio.sleep(0)
    for write in writes[::2]:
        write.cancel()
    await asyncio.gather(*writes, return_exceptions=True)
    assert await database.write(add, "last") == "last"
    found = await database.read(count)
    assert 11 <= found <= 21


async def test_statements_that_are_wrong_say_so(database: Database) -> None:
    with pytest.raises((DBAPIError, DatabaseUnavailable)):
        await database.read(lambda connection: connection.execute(text("SELECT * FROM nowhere")))


async def test_a_stale_purchase_cannot_be_moved(desk: Desk) -> None:
    """The compare-and-set behind the lock: what was read in an earlier unit is no longer so."""
    purchase_id = await desk.buy()
    stale = await desk.database.read(load, purchase_id)
    stamp = Stamp("cli", desk.clock())
    await desk.database.write(journal.note, stale, "note", stamp, "first")
    for change in (
        lambda connection: journal.note(connection, stale, "note", stamp, "second"),
        lambda connection: journal.mark(connection, stale, "look at me", stamp),
        lambda connection: journal.move(
            connection, stale, Trigger.CLOSE, stamp, "closed", reason=Reason.EXPIRED
        ),
    ):
        with pytest.raises(LostRace):
            await desk.database.write(change)
    assert await desk.story(purchase_id) == ["place", "invoice", "note"]
    assert (await desk.only())["revision"] == 3


async def test_a_reason_goes_only_with_its_own_arrow(desk: Desk) -> None:
    purchase_id = await desk.buy()
    purchase = await desk.database.read(load, purchase_id)
    stamp = Stamp("cli", desk.clock())
    for trigger, reason in (
        (Trigger.CLOSE, None),
        (Trigger.CLOSE, Reason.REVERSED),
        (Trigger.PAY, Reason.EXPIRED),
    ):
        with pytest.raises(ValueError, match="does not go with the reason"):
            await desk.database.write(
                partial(
                    journal.move, purchase=purchase, trigger=trigger, stamp=stamp, detail="x", reason=reason
                )
            )
    assert (await desk.only())["state"] == "invoiced"


async def test_the_journal_counts_without_gaps_and_never_twice(desk: Desk) -> None:
    await desk.buy()
    desk.seqr.pay("R1")
    await desk.tick(2)
    rows = await desk.rows(journal_table, journal_table.c.sequence)
    assert [row["sequence"] for row in rows] == [1, 2, 3, 4]
    assert [(row["source"], row["target"]) for row in rows] == [
        (None, "received"),
        ("received", "invoiced"),
        ("invoiced", "paid"),
        ("paid", "stocked"),
    ]
    with pytest.raises(IntegrityError):
        await desk.database.write(
            lambda connection: connection.execute(insert(journal_table).values(rows[-1] | {"id": 99}))
        )


async def test_nobody_is_locked_who_is_not_there(database: Database) -> None:
    for read in (load, lock, watch.look):
        with pytest.raises(PurchaseUnknown, match="nobody"):
            await database.write(read, "nobody")


async def test_postgresql_that_takes_calls_and_never_answers_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error of a connection that did not come in time has no words of its own."""
    monkeypatch.setattr(postgresql, "_CONNECTED_WITHIN", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = open_database(f"postgresql://user:password@127.0.0.1:{silent.getsockname()[1]}/shop")
        for ask in (database.read, database.write):
            with pytest.raises(DatabaseUnavailable, match=r"\(TimeoutError\)"):
                await ask(count)
        await database.close()


async def test_sqlite_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "folder.db").mkdir)
    nowhere = open_database(f"sqlite:///{tmp_path / 'folder.db'}")
    for attempt in (nowhere.read, nowhere.write):
        with pytest.raises(DatabaseUnavailable, match="ORCHESTRATOR_DATABASE_URL"):
            await attempt(count)
    await nowhere.close()


async def test_postgresql_a_serialisation_failure_a_deadlock_or_a_late_lock_runs_again(
    make_postgres_database: Any,
) -> None:
    database = open_database(make_postgres_database("template1"))
    for code in ("40001", "40P01", "55P03"):
        runs: list[int] = []

        def unlucky(connection: Connection, code: str = code, runs: list[int] = runs) -> str:
            runs.append(1)
            if len(runs) == 1:
                connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END $$"))
            return "won"

        assert await database.write(unlucky) == "won"
        assert len(runs) == 2
    await database.close()


async def test_postgresql_that_is_not_there_is_unavailable() -> None:
    nowhere = open_database("postgresql://shop:s3cret-word@127.0.0.1:1/shop")
    for attempt in (nowhere.read, nowhere.write):
        with pytest.raises(DatabaseUnavailable, match="ORCHESTRATOR_DATABASE_URL") as away:
            await attempt(count)
        assert "s3cret-word" not in str(away.value)
    await nowhere.close()


@pytest.mark.parametrize("code", ["25006", "53100", "57P03", "58030"])
async def test_postgresql_that_cannot_write_is_unavailable_and_called_anew(
    make_postgres_database: Any, code: str
) -> None:
    """A standby, which the server behind an open connection has become; a full disk; one that fails."""
    database = PostgresqlDatabase(make_postgres_database("template1"), pool_size=2)

    def backend(connection: Connection) -> int:
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())

    def fail(connection: Connection) -> None:
        connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END $$"))

    before = set(await asyncio.gather(database.write(backend), database.read(backend)))
    for attempt in (database.write, database.read):
        with pytest.raises(DatabaseUnavailable) as away:
            await attempt(fail)
        assert away.value.retryable
        after = set(await asyncio.gather(database.write(backend), database.read(backend)))
        assert before.isdisjoint(after), "nobody goes on with the server that cannot"
        before = after
    await database.close()
