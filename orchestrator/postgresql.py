"""PostgreSQL through asyncpg: units of work run on a pool of connections.

SQLAlchemy makes the connections and writes the rarer statements; transactions are begun and ended here. A
unit of work that only reads before it decides what to write needs none around it: see ``batch``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from itertools import accumulate, compress
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Connection, Dialect, event
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.util import await_only

from orchestrator.batch import DRIVER, carry_out, give_way
from orchestrator.driver import Driver, Piece
from orchestrator.pool import ConnectionPool
from orchestrator.statement import Statement, Values, Written
from orchestrator.work import Database, LostRace, Pool, sqlstate

T = TypeVar("T")
R = TypeVar("R")

_LIMITS = {"idle_in_transaction_session_timeout": "3s", "lock_timeout": "2s"}
"""A unit of work waits for nobody, so who is silent in the middle of one is frozen or cut off. The server
ends it then: the rows that it locked are payments that another process has to learn of in time. Who waits
for a lock begins anew before that, or the units of a frozen process would hold it for 3 s one by one."""
_CONNECTED_WITHIN = 5.0
"""Seconds."""
_ONE_VIEW = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_PARAMETER = re.compile(r"\$(\d+)")
_UNIQUE_VIOLATION = "23505"
_NOT_AS_READ = "22012"
"""A division by the number of rows that were changed: none."""


class PostgresqlDatabase(Database):
    """Each unit of work is a transaction of its own: READ COMMITTED to write, one snapshot to read."""

    dialect = "postgresql"

    def __init__(self, url: str, pool_size: int = 10, patience: float = 10) -> None:
        """``patience`` is how many seconds a unit of work waits for one of the connections."""
        self._pool = ConnectionPool(make_engine(url), pool_size, patience)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        async with self._pool.connection() as connection:
            return await connection.run_sync(_write, work)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        async with self._pool.connection() as connection:
            return await connection.run_sync(_read, work)

    async def _glance(self, work: Callable[[Connection], T]) -> T:
        return await self._write(work)  # one statement is one view, and needs no transaction

    def pool(self) -> Pool:
        return self._pool.state()

    async def close(self) -> None:
        await self._pool.close()


def make_engine(url: str) -> AsyncEngine:
    """Makes connections that know their driver. Who has one begins and ends its transactions."""
    address = "postgresql+asyncpg://" + url.removeprefix("postgresql://")
    engine = create_async_engine(
        address,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        # What goes wrong is logged with its statement, but values may be customers' or secret.
        hide_parameters=True,
        connect_args={"server_settings": _LIMITS, "timeout": _CONNECTED_WITHIN},
    )
    event.listen(engine.sync_engine, "connect", _set_up)
    give_way(engine.sync_engine)
    return engine


class AsyncpgDriver(Driver):
    """One connection of asyncpg's; to be used within ``AsyncConnection.run_sync``."""

    dialect: Dialect = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection
        self._begun = False

    def rows(self, statement: Statement, values: Values) -> list[list[Any]]:
        written = statement.written(self.dialect)
        return [written.understood(row) for row in self._fetch(written.text, written.values(values))]

    def write(self, pieces: Sequence[Piece]) -> None:
        written = tuple(piece.statement.written(self.dialect) for piece in pieces)
        values: list[Any] = []
        for piece, words in zip(pieces, written, strict=True):
            given = piece.values
            values += words.values(_by_column(given) if isinstance(given, list) else given)
        try:
            self._fetch(_together(written, tuple(piece.must for piece in pieces)), values)
        except asyncpg.PostgresError as error:
            if sqlstate(error) in (_NOT_AS_READ, _UNIQUE_VIOLATION):
                raise LostRace from error
            raise

    def begin(self, how: str = "BEGIN") -> None:
        if not self._begun:
            self._carry_out(self._connection.execute(how))
            self._begun = True

    def commit(self) -> None:
        """End what was begun."""
        if self._begun:
            self._carry_out(self._connection.execute("COMMIT"))
            self._begun = False

    def undo(self) -> None:
        """End what was begun, for nothing. A connection on which that fails is closed."""
        if not self._begun:
            return
        self._begun = False
        try:
            self._carry_out(self._connection.execute("ROLLBACK"))
        except (asyncpg.PostgresError, OSError):
            self._connection.terminate()

    def is_open(self) -> bool:
        """Whether the connection is there, as far as anybody knows."""
        return not self._connection.is_closed()

    def _fetch(self, text: str, values: Sequence[Any]) -> list[asyncpg.Record]:
        return self._carry_out(self._connection.fetch(text, *values))

    def _carry_out(self, doing: Awaitable[R]) -> R:
        try:
            return await_only(doing)
        except asyncpg.PostgresError as error:
            error.detail = None  # it tells values, which may be a customer's
            raise
        except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            # It is closed, or the server's last words came in the middle of ours.
            self._connection.terminate()
            raise ConnectionError(str(error)) from error


def _write(connection: Connection, work: Callable[[Connection], T]) -> T:
    driver: AsyncpgDriver = connection.info[DRIVER]
    try:
        result = carry_out(connection, work)
        driver.commit()
    except Exception:
        driver.undo()
        raise
    return result


def _read(connection: Connection, work: Callable[[Connection], T]) -> T:
    connection.info[DRIVER].begin(_ONE_VIEW)
    return _write(connection, work)


def _by_column(rows: Sequence[Values]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


@lru_cache(1024)
def _together(written: tuple[Written, ...], must: tuple[bool, ...]) -> str:
    """One statement that carries out all. Where a row has to be changed and is not, it divides by zero."""
    names = [f"w{number}" for number in range(len(written))]
    before = accumulate((len(words.places) for words in written), initial=0)
    parts = ", ".join(
        f"{name} AS ({_moved_on(words.text, by)}{_told(words, demanded)})"
        for name, words, demanded, by in zip(names, written, must, before, strict=False)
    )
    demands = [f"1 / (SELECT count(*) FROM {name})" for name in compress(names, must)]  # noqa: S608 - no values
    return f"WITH {parts} SELECT {', '.join(demands) or '1'}"


def _moved_on(text: str, by: int) -> str:
    """With its parameters numbered from behind those of others."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", text)


def _told(words: Written, demanded: bool) -> str:
    """What makes a change tell how many rows it found, as a SELECT does anyhow."""
    return " RETURNING 1" if demanded and not words.finds else ""


def _set_up(connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[DRIVER] = AsyncpgDriver(connection.driver_connection)
