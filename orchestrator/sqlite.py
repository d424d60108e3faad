"""SQLite: one writer, and a few readers beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, FromClause, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.pool import ConnectionPoolEntry

from orchestrator.batch import DRIVER, carry_out, give_way
from orchestrator.driver import SqliteDriver
from orchestrator.sqlite_writer import SqliteWriter, raw_connection
from orchestrator.work import Database, Pool

T = TypeVar("T")
_READERS = 4
_BUSY_MILLISECONDS = 10_000
_CACHE_KIBIBYTES = 4 * 1024
"""Of the file's pages, so much is kept by each connection; the system keeps all that there is room for. To
map the file would spare copying pages from there, but what was read would count as ours."""


class SqliteDatabase(Database):
    """A file on this machine, in WAL mode with full synchronisation."""

    dialect = "sqlite"

    def __init__(self, path: str) -> None:
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)  # it holds customers' names and addresses
        self._writing, self._reading = _engine(path, waits=False), _engine(path)
        self._writer = SqliteWriter(lambda: _connected(self._writing))
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader")
        self._glancing: Connection | None = None
        self._reads = 0

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await self._writer.write(work, brief=False)

    async def _write_briefly(self, work: Callable[[Connection], T]) -> T:
        return await self._writer.write(work, brief=True)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        self._reads += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, self._read_now, work)
        finally:
            self._reads -= 1

    def _read_now(self, work: Callable[[Connection], T]) -> T:
        with _connected(self._reading) as connection:
            raw = raw_connection(connection)
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
        return Pool(_READERS, in_use, self._reads - in_use + self._writer.waiting)

    async def close(self) -> None:
        await self._writer.close()
        self._readers.shutdown()
        if self._glancing is not None:
            self._glancing.close()
        self._writing.dispose()
        self._reading.dispose()


def _connected(engine: Engine) -> Connection:
    """A connection that SQLAlchemy takes to be in a transaction of its own: so it begins and undoes none."""
    connection = engine.connect()
    connection.begin()
    return connection


class _Compiler(SQLiteCompiler):
    """Writes a statement's hint behind the table's name: ``purchases INDEXED BY purchases_by_amount``."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


def _engine(path: str, *, waits: bool = True) -> Engine:
    """Makes connections that know their driver, and wait for a lock unless told not to. Who has one begins
    and ends its transactions."""
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
        if not waits:
            connection.execute("PRAGMA busy_timeout = 0")

    give_way(engine)
    return engine
