"""SQLite's writer: what queues up shares a commit, and nobody is told before it is on the disk."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from orchestrator import sqlite_writer
from orchestrator.database import Database, DatabaseUnavailable, open_database
from orchestrator.identity import now
from orchestrator.sqlite_writer import raw_connection

BOTH = ("write", "write_brief")
"""A thread's way, and the loop's."""

pytestmark = pytest.mark.parametrize("way", BOTH)


@pytest.fixture
def path(sqlite_template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sqlite_template, tmp_path / "one.db"))


@pytest.fixture
async def sqlite(path: Path) -> AsyncIterator[Database]:
    opened = open_database(f"sqlite:///{path}")
    yield opened
    await opened.close()


def add(connection: Connection, name: str) -> str:
    """A user, in one statement."""
    row = (name, name, "no hash", "viewer", str(now())[:-6])
    into = "INSERT INTO users (id, name, password_hash, role, created_at) VALUES (?, ?, ?, ?, ?)"
    connection.exec_driver_sql(into, row)
    return name


def names(connection: Connection) -> list[str]:
    return list(connection.exec_driver_sql("SELECT name FROM users ORDER BY rowid").scalars())


async def together(database: Database, way: str, *works: Callable[[Connection], Any]) -> list[Any]:
    """Have units of work queue up behind one that blocks."""
    begun, go = threading.Event(), threading.Event()

    def block(_: Connection) -> None:
        begun.set()
        go.wait(10)

    first = asyncio.create_task(database.write(block))
    await asyncio.to_thread(begun.wait, 10)
    others = [asyncio.create_task(getattr(database, way)(work)) for work in works]
    await asyncio.sleep(0)
    go.set()
    await first
    return await asyncio.gather(*others, return_exceptions=True)


async def test_what_queues_up_shares_a_commit_and_a_failure_only_undoes_itself(
    sqlite: Database, way: str
) -> None:
    def broken(connection: Connection) -> None:
        add(connection, "broken")
        raise ValueError("mine alone")

    said: list[str] = []
    await sqlite.write(lambda connection: raw_connection(connection).set_trace_callback(said.append))
    said.clear()
    results = await together(sqlite, way, lambda c: add(c, "a"), broken, lambda c: add(c, "b"))
    assert [results[0], type(results[1]), results[2]] == ["a", ValueError, "b"]
    assert await sqlite.read(names) == ["a", "b"]
    assert said.count("COMMIT") == 2, "that of the one in front, and theirs"


async def test_nobody_is_told_done_when_the_whole_transaction_was_rolled_back(
    sqlite: Database, way: str
) -> None:
    """SQLite drops the whole transaction when the disk is full or fails: the neighbours' work too."""

    def disk_full(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")

    results = await together(sqlite, way, lambda c: add(c, "a"), disk_full, lambda c: add(c, "b"))
    assert [type(result) for result in results] == [DatabaseUnavailable] * 3
    assert await sqlite.read(names) == []
    assert await getattr(sqlite, way)(add, "a") == "a", "the writer goes on"


async def test_nobody_is_told_done_when_the_commit_fails(sqlite: Database, way: str) -> None:
    def orphan(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        of_nobody = "INSERT INTO notifications (id, purchase_id, at, sender) VALUES ('1', 'nobody', '', '')"
        connection.exec_driver_sql(of_nobody)

    results = await together(sqlite, way, lambda c: add(c, "a"), orphan)
    assert [type(result) for result in results] == [sqlite3.IntegrityError] * 2
    assert await sqlite.read(names) == []
    assert await getattr(sqlite, way)(add, "a") == "a", "the writer goes on"


async def test_all_that_was_promised_is_there_after_a_restart(sqlite: Database, way: str, path: Path) -> None:
    writes = [asyncio.create_task(getattr(sqlite, way)(add, f"p{number}")) for number in range(300)]
    await asyncio.sleep(0)
    await sqlite.close()
    assert len(await asyncio.gather(*writes)) == 300
    again = open_database(f"sqlite:///{path}")
    assert len(await again.read(names)) == 300
    await again.close()


async def test_what_is_asked_for_first_is_done_first(sqlite: Database, way: str) -> None:
    other = BOTH[1 - BOTH.index(way)]
    ways = [way, other, other, way]
    tasks = [asyncio.create_task(getattr(sqlite, each)(add, f"{at}")) for at, each in enumerate(ways)]
    await asyncio.gather(*tasks)
    assert await sqlite.read(names) == ["0", "1", "2", "3"]


async def test_brief_and_long_ones_share_a_commit_and_its_fate(sqlite: Database, way: str) -> None:
    said: list[str] = []
    other = BOTH[1 - BOTH.index(way)]

    def disk_full(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")

    await sqlite.write(lambda connection: raw_connection(connection).set_trace_callback(said.append))
    said.clear()
    await asyncio.gather(getattr(sqlite, way)(add, "a"), getattr(sqlite, other)(add, "b"))
    assert said.count("COMMIT") == 1
    together = [getattr(sqlite, way)(add, "c"), getattr(sqlite, other)(disk_full)]
    results = await asyncio.gather(*together, return_exceptions=True)
    assert [type(result) for result in results] == [DatabaseUnavailable] * 2
    assert await sqlite.read(names) == ["a", "b"]


async def test_many_brief_ones_let_others_have_the_loop(
    sqlite: Database, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "_TURN", 0)
    units = [asyncio.create_task(getattr(sqlite, way)(lambda _: turns.append("unit"))) for _ in range(5)]
    turns: list[str] = []
    while not all(unit.done() for unit in units):
        turns.append("other")
        await asyncio.sleep(0)
    first, last = turns.index("unit"), len(turns) - 1 - turns[::-1].index("unit")
    if way == "write_brief":
        assert "other" in turns[first:last]


async def test_a_close_that_is_given_up_leaves_nothing_hanging(sqlite: Database, way: str) -> None:
    begun, go = threading.Event(), threading.Event()

    def block(connection: Connection) -> str:
        begun.set()
        go.wait(10)
        return add(connection, "first")

    first = asyncio.create_task(sqlite.write(block))
    await asyncio.to_thread(begun.wait, 10)
    second = asyncio.create_task(getattr(sqlite, way)(add, "second"))
    closing = asyncio.create_task(sqlite.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    go.set()
    assert [await asyncio.wait_for(each, 10) for each in (first, second)] == ["first", "second"]
    with pytest.raises(DatabaseUnavailable, match="stopping"):
        await getattr(sqlite, way)(add, "third")


def test_a_loop_that_ends_takes_nobody_with_it(path: Path, way: str) -> None:
    """As when a command is interrupted: who waits is told, and the next loop finds all in order."""
    database = open_database(f"sqlite:///{path}")
    go = threading.Event()
    told: list[BaseException] = []

    async def interrupted() -> None:
        def block(connection: Connection) -> str:
            go.wait(10)
            return add(connection, "half")

        async def waiting(work: Callable[[Connection], Any]) -> None:
            try:
                await getattr(database, way)(work)
            except DatabaseUnavailable as error:
                told.append(error)

        blocked = asyncio.create_task(database.write(block))
        others = [asyncio.create_task(waiting(lambda connection: add(connection, "never"))) for _ in range(2)]
        await asyncio.sleep(0.05)
        for task in asyncio.all_tasks() - {asyncio.current_task(), blocked, *others}:
            task.cancel()
        results = await asyncio.gather(blocked, *others, return_exceptions=True)
        assert isinstance(results[0], DatabaseUnavailable)
        go.set()

    async def afterwards() -> list[str]:
        await getattr(database, way)(add, "after")
        found = await database.read(names)
        await database.close()
        return found

    asyncio.run(interrupted())
    assert [str(error) for error in told] == ["The database is closed: the process is stopping."] * 2
    assert asyncio.run(afterwards()) == ["after"]


async def test_an_end_of_iteration_is_an_error_like_any_other(sqlite: Database, way: str) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await getattr(sqlite, way)(lambda _: next(iter(())))
    assert await getattr(sqlite, way)(add, "a") == "a"


async def test_what_is_queued_is_done_though_nobody_waits_for_it_any_more(sqlite: Database, way: str) -> None:
    asked = asyncio.create_task(getattr(sqlite, way)(add, "a"))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    assert await sqlite.write(names) == ["a"]


async def test_it_has_nobodys_context(sqlite: Database, way: str) -> None:
    """Else what it logs would bear the id of another's request."""
    with structlog.contextvars.bound_contextvars(request_id="another's"):
        assert await getattr(sqlite, way)(lambda _: structlog.contextvars.get_contextvars()) == {}


async def test_another_process_that_writes_holds_up_nothing_else(
    sqlite: Database, way: str, path: Path
) -> None:
    await sqlite.write(names)
    another = sqlite3.connect(path, isolation_level=None)
    another.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(getattr(sqlite, way)(add, "a"))
    for _ in range(5):
        await asyncio.sleep(0.01)
    assert not writing.done()
    assert await sqlite.read(names) == []
    another.execute("ROLLBACK")
    assert await asyncio.wait_for(writing, 10) == "a"
    another.close()


async def test_another_process_that_writes_for_too_long_makes_it_unavailable(
    sqlite: Database, way: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "_LOCKED_FOR", 0.05)
    another = sqlite3.connect(path, isolation_level=None)
    await sqlite.write(names)
    another.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable, match="locked"):
        await getattr(sqlite, way)(add, "a")
    another.close()
    assert await getattr(sqlite, way)(add, "a") == "a"


async def test_what_the_database_refuses_is_raised(sqlite: Database, way: str) -> None:
    await getattr(sqlite, way)(add, "a")
    with pytest.raises(IntegrityError):
        await getattr(sqlite, way)(add, "a")


async def test_one_that_is_closed_is_unavailable(sqlite: Database, way: str) -> None:
    await sqlite.close()
    with pytest.raises(DatabaseUnavailable, match="stopping") as closed:
        await getattr(sqlite, way)(add, "a")
    assert closed.value.retryable
