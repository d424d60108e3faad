"""What a unit of work decides is written at once, in the right order, and only if all is as it was read."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, select, text, update

from orchestrator import batch, journal
from orchestrator.batch import Reading
from orchestrator.columns import ROW_VERSION, RowVersion
from orchestrator.database import Database, DatabaseUnavailable, LostRace, open_database
from orchestrator.identity import now
from orchestrator.purchase import load
from orchestrator.stamp import Stamp
from orchestrator.statement import Statement
from orchestrator.tables import journal as entries
from orchestrator.tables import products, search_terms, users
from tests.fixtures.desk import Desk
from tests.fixtures.shop import until
from tests.fixtures.statements import recorded

_P = products.c
_LEVEL = Reading(select(_P.on_hand, _P.reserved, RowVersion(products)).where(_P.token == bindparam("token")))
_TAKE = Statement(
    update(products).where(_P.token == bindparam("of_token"), _P.on_hand >= 5).values(on_hand=_P.on_hand - 5)
)


def product(token: str, **changes: Any) -> dict[str, Any]:
    at = now()
    row = {"token": token, "title": "T", "price": 1, "currency": "SEK", "tax_rate": 0, "for_sale": True}
    return row | {"on_hand": 5, "reserved": 0, "created_at": at, "updated_at": at} | changes


def add(connection: Connection, /, token: str, **changes: Any) -> None:
    batch.add(connection, products, product(token, **changes))


def change(connection: Connection, /, token: str, seen: dict[str, Any] | None = None, **values: Any) -> None:
    batch.change_row(connection, products, {"token": token}, values, seen)


def level(connection: Connection, token: str = "mug") -> list[Any]:
    found = _LEVEL.first(connection, token=token)
    assert found is not None
    return found


async def levels(database: Database, token: str = "mug") -> list[Any]:
    return (await database.read(level, token))[:2]


async def test_what_becomes_of_a_row_is_written_in_one(database: Database) -> None:
    def work(connection: Connection) -> list[str]:
        with recorded(connection) as seen:
            add(connection, "mug")
            change(connection, "mug", on_hand=7)
            change(connection, "mug", reserved=2)
            level(connection)
        return [words.split()[0] for words, _ in seen]

    assert await database.write(work) == ["INSERT", "SELECT"]
    assert await levels(database) == [7, 2]

    def again(connection: Connection) -> list[str]:
        with recorded(connection) as seen:
            change(connection, "mug", on_hand=8)
            change(connection, "mug", on_hand=9, reserved=3)
            level(connection)
        return [words.split()[0] for words, _ in seen]

    assert await database.write(again) == ["UPDATE", "SELECT"]
    assert await levels(database) == [9, 3]


async def test_whoever_reads_in_between_sees_what_was_decided(database: Database) -> None:
    def work(connection: Connection) -> list[int]:
        add(connection, "mug")
        mine = level(connection)[0]
        change(connection, "mug", on_hand=6)
        core = connection.execute(select(_P.on_hand).where(_P.token == "mug")).scalar_one()
        change(connection, "mug", on_hand=7)
        return [mine, core, level(connection)[0]]

    assert await database.write(work) == [5, 6, 7]


async def test_a_condition_that_does_not_hold_undoes_everything(database: Database) -> None:
    await database.write(add, "mug", on_hand=4)

    def take(connection: Connection) -> None:
        add(connection, "spoon")
        batch.must(connection, _TAKE, {"of_token": "mug"})

    with pytest.raises(LostRace):
        await database.write(take)
    assert await database.read(lambda connection: _LEVEL.all(connection, token="spoon")) == []
    await database.write(change, "mug", on_hand=5)
    await database.write(take)
    assert await levels(database) == [0, 0]
    assert await levels(database, "spoon") == [5, 0]


async def test_what_has_to_be_found_is_looked_for(database: Database) -> None:
    def work(connection: Connection, wanted: str) -> None:
        add(connection, f"with {wanted}")
        batch.must(connection, _LEVEL, {"token": wanted})

    await database.write(add, "mug")
    await database.write(work, "mug")
    with pytest.raises(LostRace):
        await database.write(work, "nothing")
    assert await database.read(lambda connection: _LEVEL.all(connection, token="with nothing")) == []


async def test_a_row_that_was_read_and_touched_since_is_not_changed(database: Database) -> None:
    await database.write(add, "mug")
    *_, version = await database.write(level)
    await database.write(change, "mug", reserved=1)

    def late(connection: Connection) -> None:
        change(connection, "mug", {"reserved": 0, ROW_VERSION: version}, on_hand=1)

    with pytest.raises(LostRace):
        await database.write(late)
    assert await levels(database) == [5, 1]


async def test_ones_own_change_is_nobodys_touch(database: Database) -> None:
    await database.write(add, "mug")

    def work(connection: Connection) -> None:
        *_, version = level(connection)
        change(connection, "mug", {ROW_VERSION: version}, on_hand=6)
        level(connection)
        change(connection, "mug", {ROW_VERSION: version, "on_hand": 6}, reserved=1)

    await database.write(work)
    assert await levels(database) == [6, 1]


async def test_what_was_decided_counts_as_seen(database: Database) -> None:
    def work(connection: Connection, seen: int) -> None:
        add(connection, "mug", on_hand=3)
        change(connection, "mug", {"on_hand": seen}, reserved=1)

    with pytest.raises(LostRace):
        await database.write(work, 4)
    await database.write(work, 3)
    assert await levels(database) == [3, 1]


async def test_a_row_may_be_changed_by_a_condition_and_then_again(database: Database) -> None:
    """One statement of PostgreSQL's cannot change a row twice, so it takes two."""
    await database.write(add, "mug")

    def work(connection: Connection) -> None:
        batch.must(connection, _TAKE, {"of_token": "mug"}, (products.name, "mug"))
        change(connection, "mug", reserved=1)

    await database.write(work)
    assert await levels(database) == [0, 1]


async def test_what_is_there_already_is_a_lost_race(database: Database) -> None:
    await database.write(add, "mug")
    with pytest.raises(LostRace):
        await database.write(add, "mug")


async def test_what_is_refused_for_good_is_an_error_that_tells_no_values(
    database: Database,
) -> None:
    with pytest.raises(Exception, match="products_on_hand_not_negative") as refused:
        await database.write(add, "a secret token", on_hand=-1)
    assert not isinstance(refused.value, LostRace)
    assert "a secret token" not in str(refused.value)


async def test_any_number_of_rows_goes_in_by_one_statement(database: Database) -> None:
    def work(connection: Connection) -> None:
        batch.add_all(connection, search_terms, [])
        rows = [{"term": f"t{number}", "purchase_id": "p"} for number in range(7)]
        batch.add_all(connection, search_terms, rows)

    await database.write(work)
    kept = await database.read(lambda connection: connection.execute(select(search_terms.c.term)).all())
    assert len(kept) == 7


async def test_rows_go_in_in_their_order(desk: Desk) -> None:
    """The feed goes by the ids that the journal's rows get."""
    purchase_id = await desk.buy()
    at = now()

    def work(connection: Connection) -> None:
        purchase = load(connection, purchase_id)
        for word in ("one", "two", "three"):
            purchase = journal.note(connection, purchase, "note", Stamp("test", at), word)

    await desk.database.write(work)
    assert await desk.story(purchase_id) == ["place", "invoice", "note", "note", "note"]
    rows = await desk.database.read(
        lambda connection: connection.execute(select(entries.c.detail).order_by(entries.c.id)).scalars().all()
    )
    assert rows[-3:] == ["one", "two", "three"]


async def test_one_try_is_one(database: Database) -> None:
    runs: list[int] = []

    def lose(_: Connection) -> None:
        runs.append(1)
        raise LostRace

    with pytest.raises(LostRace):
        await database.write_once(lose)
    assert len(runs) == 1


async def test_a_glance_sees_what_was_committed(database: Database) -> None:
    await database.write(add, "mug")
    for on_hand in (6, 7):
        await database.write(change, "mug", on_hand=on_hand)
        assert (await database.glance(level))[0] == on_hand


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_only_reads_before_needs_no_transaction(database: Database) -> None:
    def alone(connection: Connection) -> bool:
        return bool(connection.info[batch.DRIVER]._begun)

    def read_and_write(connection: Connection) -> bool:
        _LEVEL.all(connection, token="mug")
        add(connection, "mug")
        return alone(connection)

    def write_and_read(connection: Connection) -> bool:
        add(connection, "spoon")
        _LEVEL.all(connection, token="spoon")
        return alone(connection)

    def core(connection: Connection) -> bool:
        connection.execute(select(users.c.name))
        return alone(connection)

    assert not await database.write(read_and_write)
    assert await database.write(write_and_read)
    assert await database.write(core)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_connection_that_the_server_closed_is_replaced(database: Database, database_url: str) -> None:
    def pid(connection: Connection) -> int:
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())

    first = await database.write(pid)
    assert await database.write(pid) == first, "it is kept"

    ended = text("SELECT pg_terminate_backend(:pid)")
    other = open_database(database_url)
    await other.write(lambda connection: connection.execute(ended, {"pid": first}))
    await other.close()

    with suppress(DatabaseUnavailable):  # unless the news was there before us
        await database.write(pid)
    assert await database.write(pid) != first


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_is_interrupted_leaves_nothing_behind(database: Database, database_url: str) -> None:
    def sleep(connection: Connection) -> None:
        connection.execute(text("SELECT pg_sleep(30)"))

    other = open_database(database_url)
    asleep = text("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)'")

    async def is_asleep() -> bool:
        return bool(await other.read(lambda connection: connection.execute(asleep).scalar_one()))

    for run in (database.write, database.read):
        task = asyncio.create_task(run(sleep))
        await until(is_asleep)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert database.pool().in_use == 0
        await database.write(add, f"after {run.__name__}")
    await other.close()
