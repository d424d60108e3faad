"""A full disk: one clear sentence, nothing half done, and on it goes when there is room."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import Connection, update

from orchestrator.database import Database, DatabaseUnavailable, open_database
from orchestrator.rest.errors import problem_of
from orchestrator.tables import outbox, products
from tests.fixtures.desk import BENGT, MUG, Clock, Desk, desk_settings, make_desk
from tests.fixtures.seqr import ScriptedSeqr
from tests.fixtures.shop import stocked

ROOMY = 2**30


def room(connection: Connection, more: int) -> None:
    """Let SQLite's file grow by so many pages."""
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + more}")


def fill(connection: Connection) -> None:
    """A unit of work that needs much room."""
    connection.execute(update(products).values(title="x" * 200_000))


@pytest.fixture
async def full(sqlite_only: Database) -> Desk:
    """A shop on SQLite whose disk is full."""
    await sqlite_only.write(stocked)
    await sqlite_only.write(room, 0)
    return make_desk(sqlite_only, ScriptedSeqr(), Clock(), desk_settings())


async def test_sqlite_says_that_the_disk_is_full_and_goes_on_when_there_is_room(full: Desk) -> None:
    with pytest.raises(DatabaseUnavailable, match="The database's disk is full") as told:
        await full.database.write(fill)
    assert told.value.retryable
    assert "\n" not in told.value.message
    await full.database.write(room, ROOMY)
    await full.database.write(fill)
    assert [row["title"][:2] for row in await full.rows(products, products.c.token)] == ["xx"] * 3


async def test_sqlite_with_a_full_disk_tells_nobody_done_who_is_not(full: Desk) -> None:
    """Small and large units that share a commit: each is done or refused, none is half done."""

    def rename(connection: Connection, token: str) -> None:
        connection.execute(update(products).where(products.c.token == token).values(title=f"new {token}"))

    for _ in range(5):
        outcomes = await asyncio.gather(
            full.database.write(rename, "mug"),
            full.database.write(fill),
            full.database.write(rename, "set"),
            return_exceptions=True,
        )
        titles = {row["token"]: row["title"] for row in await full.rows(products, products.c.token)}
        for token, outcome in (("mug", outcomes[0]), ("set", outcomes[2])):
            assert isinstance(outcome, DatabaseUnavailable) or titles[token] == f"new {token}"
        assert isinstance(outcomes[1], DatabaseUnavailable)


async def test_postgresql_says_that_the_disk_is_full(make_postgres_database: Callable[[], str]) -> None:
    database = open_database(make_postgres_database())
    words = "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
    with pytest.raises(DatabaseUnavailable, match="The database's disk is full"):
        await database.write(lambda connection: connection.exec_driver_sql(words))
    await database.close()


async def test_an_order_is_refused_with_503_while_the_disk_is_full(full: Desk) -> None:
    orders = [replace(MUG, name=f"Customer {number} {'x' * 3000}") for number in range(9)]
    outcomes = await asyncio.gather(*map(full.settlement.place, orders), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, DatabaseUnavailable)]
    problem = problem_of(refused[-1])
    assert problem.status == 503
    assert "disk is full" in problem.message
    assert "Retry-After" in problem.headers
    await full.database.write(room, ROOMY)
    reference = await full.settlement.place(BENGT)
    assert reference in [row["invoice_reference"] for row in await full.purchases()]


async def test_payments_that_nobody_could_write_down_are_when_there_is_room(sqlite_only: Database) -> None:
    await sqlite_only.write(stocked)
    desk = make_desk(sqlite_only, ScriptedSeqr(), Clock(), desk_settings())
    await desk.restock(90)
    for number in range(60):
        await desk.settlement.place(replace(MUG, email=f"{number}@example.com"))
    await sqlite_only.write(room, 0)
    for reference in desk.seqr.books:
        desk.seqr.pay(reference)
    with suppress(DatabaseUnavailable):  # the scheduler goes on with its next run
        await desk.tick(2)
    await desk.reconciler.close()
    assert Counter(row["state"] for row in await desk.purchases())["invoiced"] > 1

    await sqlite_only.write(room, ROOMY)
    await desk.tick(2)
    assert {row["state"] for row in await desk.purchases()} == {"stocked"}
    (mug,) = [row for row in await desk.rows(products, products.c.token) if row["token"] == "mug"]
    assert (mug["on_hand"], mug["reserved"]) == (40, 0)
    assert len({row["purchase_id"] for row in await desk.rows(outbox)}) == len(await desk.rows(outbox)) == 60
