"""The two databases behind their edge: what they promise to readers, and what they say when they cannot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import Connection, text

from orchestrator.database import Database, DatabaseUnavailable, open_database
from orchestrator.postgresql import PostgresqlDatabase
from tests.fixtures.postgres import PostgresServer


@pytest.fixture
async def narrow(make_postgres_database: Callable[[str], str]) -> AsyncIterator[PostgresqlDatabase]:
    """PostgreSQL with one connection, for which nobody waits long."""
    opened = PostgresqlDatabase(make_postgres_database("template1"), pool_size=1, patience=0.05)
    yield opened
    await opened.close()


async def test_a_reader_sees_one_moment_and_cannot_write(narrow: PostgresqlDatabase) -> None:
    def kind(connection: Connection) -> tuple[str, str]:
        shown = [connection.execute(text(f"SHOW transaction_{name}")) for name in ("isolation", "read_only")]
        return str(shown[0].scalar_one()), str(shown[1].scalar_one())

    assert await narrow.read(kind) == ("repeatable read", "on")
    assert await narrow.write(kind) == ("read committed", "off")


async def test_who_gets_no_connection_in_time_is_told_to_come_again(narrow: PostgresqlDatabase) -> None:
    def slow(connection: Connection) -> None:
        connection.execute(text("SELECT pg_sleep(0.5)"))

    came = await asyncio.gather(*(narrow.write(slow) for _ in range(2)), return_exceptions=True)

    assert [type(result) for result in came if result is not None] == [DatabaseUnavailable]


async def test_a_server_that_lets_nobody_in_is_unavailable(postgres_server: PostgresServer) -> None:
    nowhere = open_database(postgres_server.url("a_database_that_nobody_made"))
    with pytest.raises(DatabaseUnavailable, match="a_database_that_nobody_made"):
        await nowhere.read(lambda connection: connection.execute(text("SELECT 1")))
    await nowhere.close()


async def test_the_connections_in_use_are_told(database: Database) -> None:
    idle = database.pool()
    assert idle.size > 0
    assert (idle.in_use, idle.waiting) == (0, 0)
    seen = asyncio.Event()
    loop = asyncio.get_running_loop()
    at_work: list[int] = []

    def look(_: Connection) -> None:
        at_work.append(database.pool().in_use)
        loop.call_soon_threadsafe(seen.set)

    await database.read(look)
    await seen.wait()
    assert at_work == [1]
    assert database.pool().in_use == 0
