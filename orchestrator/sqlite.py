"""SQLite: one writer thread that puts what has queued up into one commit, and a few readers beside it.

A commit costs a flush to the disk however much is in it; so units of work that arrive together share one,
each in a savepoint, and each is answered only after it is on the disk.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine, FromClause, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.pool import ConnectionPoolEntry

from orchestrator.batch import DRIVER, carry_out, give_way
from orchestrator.driver import SqliteDriver
from orchestrator.work import Database, DatabaseUnavailable, Pool

T = TypeVar("T")
_READERS = 4
_GROUP = 256
_BUSY_MILLISECONDS = 10_000
_CACHE_KIBIBYTES = 16 * 1024
"""Of the file's pages, so much is kept by each connection."""
_MAPPED_BYTES = 8 * 2**30
"""So much of the file is read through the system's own cache, without copying it."""


class SqliteDatabase(Database):
    """A file on this machine, in WAL mode with full synchronisation."""

    dialect = "sqlite"

    def __init__(self, path: str) -> None:
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)  # it holds customers' names and addresses
        self._writing, self._reading = _engine(path), _engine(path)
        self._connection: Connection | None = None
        """The writer's."""
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader")
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._glancing: Connection | None = None
        self._reads = 0
        self._closed = False
        self._writer = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._writer.start()

    async def _write(self, work: Callable[[Connection], T]) -> T:
        if self._closed:
            raise DatabaseUnavailable("The database is closed: the process is stopping.")
        item = _Item(work)
        self._queue.put(item)
        # Shielded: what is queued gets committed even when nobody waits for it any more.
        return await asyncio.shield(asyncio.wrap_future(item.answer))

    async def _read(self, work: Callable[[Connection], T]) -> T:
        self._reads += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, self._read_now, work)
        finally:
            self._reads -= 1

    def _read_now(self, work: Callable[[Connection], T]) -> T:
        with _connected(self._reading) as connection:
            raw = _raw(connection)
            raw.execute("BEGIN")
            try:
                return carry_out(connection, work)
            finally:
                raw.execute("ROLLBACK")

    async def _glance(self, work: Callable[[Connection], T]) -> T:
        # A row or two, found by their key, take less time than to have a thread look for them.
        if self._glancing is None:
            self._glancing = _connected(self._reading)
        return carry_out(self._glancing, work)

    def pool(self) -> Pool:
        """The readers; what the one writer has not begun waits too."""
        in_use = min(self._reads, _READERS)
        return Pool(_READERS, in_use, self._reads - in_use + self._queue.qsize())

    async def close(self) -> None:
        self._closed = True
        self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._writer.join)
        self._readers.shutdown()
        if self._glancing is not None:
            self._glancing.close()
        if self._connection is not None:
            self._connection.close()
        self._writing.dispose()
        self._reading.dispose()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            items = [first, *self._waiting()]
            self._commit_together([item for item in items if item is not None])
            if None in items:
                return

    def _waiting(self) -> list[_Item | None]:
        items: list[_Item | None] = []
        while len(items) < _GROUP - 1 and not self._queue.empty():
            items.append(self._queue.get())
        return items

    def _commit_together(self, items: list[_Item]) -> None:
        try:
            if self._connection is None:
                self._connection = _connected(self._writing)
            _commit(self._connection, items)
        except Exception as error:  # nothing of the group was kept
            for item in items:
                item.fail(error)
        else:
            for item in items:
                item.tell()


class _Item:
    """A unit of work in the queue, and its answer."""

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.answer: Future[Any] = Future()
        self._work = work
        self._result: Any = None
        self._error: Exception | None = None

    def run(self, connection: Connection) -> None:
        """Do the work in a savepoint: its error undoes only itself."""
        point = _raw(connection)
        point.execute("SAVEPOINT unit")
        try:
            self._result = carry_out(connection, self._work)
        except Exception as error:
            self._error = error
            if point.in_transaction:
                point.execute("ROLLBACK TO unit")
        if point.in_transaction:
            point.execute("RELEASE unit")

    def fail(self, error: Exception) -> None:
        self.answer.set_exception(error)

    def tell(self) -> None:
        if self._error is not None:
            self.answer.set_exception(self._error)
        else:
            self.answer.set_result(self._result)


def _commit(connection: Connection, items: list[_Item]) -> None:
    raw = _raw(connection)
    raw.execute("BEGIN IMMEDIATE")
    try:
        for item in items:
            item.run(connection)
            _still_in_transaction(connection)
        raw.execute("COMMIT")
    except BaseException:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        raise


def _still_in_transaction(connection: Connection) -> None:
    """A full or failing disk makes SQLite drop the whole transaction; the commit after it does nothing."""
    if not _raw(connection).in_transaction:
        raise DatabaseUnavailable(
            "The disk is full or fails, and SQLite dropped what it was writing: make room on it. All goes on "
            "by itself then."
        )


def _connected(engine: Engine) -> Connection:
    """A connection that SQLAlchemy takes to be in a transaction of its own: so it begins and undoes none."""
    connection = engine.connect()
    connection.begin()
    return connection


def _raw(connection: Connection) -> SqliteConnection:
    return cast("SqliteConnection", connection.connection.dbapi_connection)


class _Compiler(SQLiteCompiler):
    """Writes a statement's hint behind the table's name: ``purchases INDEXED BY purchases_by_amount``."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


def _engine(path: str) -> Engine:
    """Makes connections that know their driver. Who has one begins and ends its transactions."""
    # What goes wrong is logged with its statement, but values may be customers' or secret.
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False}, "hide_parameters": True}
    options["isolation_level"] = "AUTOCOMMIT"
    engine = create_engine(f"sqlite:///{path}", **options)
    engine.dialect.statement_compiler = _Compiler

    @event.listens_for(engine, "connect")
    def _set_up(connection: SqliteConnection, record: ConnectionPoolEntry) -> None:
        record.info[DRIVER] = SqliteDriver(connection)
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # an erased customer is no longer in the file
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
        connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")

    give_way(engine)
    return engine
