"""SQLite's one writer: what has queued up goes into one commit.

A commit costs a flush to the disk however much is in it; so units of work that arrive together share one,
each in a savepoint, and each is answered only after it is on the disk.

Units of work that are brief are carried out on the event loop, for a thread would only fight with it about
the interpreter: an order costs a quarter less so. A thread does what may take long, and every commit, which
waits for the disk.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from itertools import groupby
from operator import attrgetter
from sqlite3 import SQLITE_BUSY, OperationalError
from sqlite3 import Connection as SqliteConnection
from typing import Any, TypeVar, cast

from sqlalchemy import Connection

from orchestrator.batch import carry_out
from orchestrator.work import DatabaseUnavailable

T = TypeVar("T")
_GROUP = 256
"""So many units of work share a commit at most."""
_TURN = 0.01
"""Seconds that brief ones have the loop for themselves, one after the other."""
_LOCKED_FOR = 10.0
"""Seconds that another process may have the file to itself."""
_LOOK_AGAIN = 0.01
_PRIMARY_CODE = 0xFF
_STOPPING = "The database is closed: the process is stopping."


class SqliteWriter:
    """Carries out units of work one after the other, on one connection, from one event loop."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        """``connect`` makes the connection, which must not wait for locks by itself."""
        self._connect = connect
        self._connection: Connection | None = None
        self._queue: deque[_Unit] = deque()
        self._working: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many units of work have not been begun."""
        return len(self._queue)

    async def write(self, work: Callable[[Connection], T], *, brief: bool) -> T:
        """Carry out a unit of work, commit it, and answer with its result. What is queued is done even when
        nobody waits for it any more."""
        if self._closed:
            raise DatabaseUnavailable(_STOPPING)
        unit = _Unit(work, brief)
        self._queue.append(unit)
        if self._working is None:
            # In a context of nobody's: it goes on with what others have asked for.
            self._working = asyncio.get_running_loop().create_task(self._work(), context=Context())
        result: T = await unit.answer
        return result

    async def close(self) -> None:
        """Finish what is queued."""
        self._closed = True
        if self._working is not None:
            await asyncio.wait([self._working])  # which goes on though we be cancelled
        await asyncio.to_thread(self._thread.shutdown)
        if self._connection is not None:
            self._connection.close()

    async def _work(self) -> None:
        group: list[_Unit] = []
        try:
            while self._queue:
                group = [self._queue.popleft() for _ in range(min(len(self._queue), _GROUP))]
                await self._commit_together(group)
        finally:
            self._working = None
            for unit in (*group, *self._queue):  # the loop itself is ending, and nobody will do them
                unit.tell(DatabaseUnavailable(_STOPPING))
            self._queue.clear()

    async def _commit_together(self, units: Sequence[_Unit]) -> None:
        try:
            await self._carry_out(units)
        except Exception as error:  # nothing of the group was kept
            if self._connection is not None:
                _undo(raw_connection(self._connection))
            for unit in units:
                unit.tell(error)
        else:
            for unit in units:
                unit.tell()

    async def _carry_out(self, units: Sequence[_Unit]) -> None:
        connection = await self._begun()
        for brief, alike in groupby(units, attrgetter("brief")):
            if brief:
                await _run_here(connection, alike)
            else:
                await self._in_thread(_run, connection, list(alike))
        await self._in_thread(raw_connection(connection).execute, "COMMIT")

    async def _begun(self) -> Connection:
        """The connection, in a transaction that has the file to itself."""
        if self._connection is None:
            self._connection = await self._in_thread(self._connect)
        raw = raw_connection(self._connection)
        if raw.in_transaction:  # somebody was interrupted while the thread was at it
            await self._in_thread(_undo, raw)
        await _begin(raw)
        return self._connection

    async def _in_thread(self, work: Callable[..., T], *given: object) -> T:
        doing = asyncio.get_running_loop().run_in_executor(self._thread, work, *given)
        await asyncio.wait([doing])
        return doing.result()


class _Unit:
    """A unit of work, and its answer."""

    def __init__(self, work: Callable[[Connection], Any], brief: bool) -> None:
        self.brief = brief
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._work = work
        self._result: Any = None
        self._error: Exception | None = None

    def run(self, connection: Connection) -> None:
        """Do the work in a savepoint: its error undoes only itself."""
        raw = raw_connection(connection)
        raw.execute("SAVEPOINT unit")
        try:
            self._result = carry_out(connection, self._work)
        except Exception as error:
            # A future takes none that ends an iteration.
            self._error = RuntimeError(repr(error)) if isinstance(error, StopIteration) else error
            if raw.in_transaction:
                raw.execute("ROLLBACK TO unit")
        if not raw.in_transaction:
            # A full or failing disk makes SQLite drop the whole transaction; the commit then does nothing.
            raise DatabaseUnavailable(
                "The disk is full or fails, and SQLite dropped what it was writing: make room on it. "
                "All goes on by itself then."
            )
        raw.execute("RELEASE unit")

    def tell(self, error: Exception | None = None) -> None:
        """It is on the disk, or has undone itself; or the ``error`` has undone the whole group."""
        if self.answer.done():  # nobody waits for it any more
            return
        error = error or self._error
        if error is not None:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(self._result)


def raw_connection(connection: Connection) -> SqliteConnection:
    """Python's own, below SQLAlchemy's."""
    return cast("SqliteConnection", connection.connection.dbapi_connection)


async def _begin(raw: SqliteConnection) -> None:
    """Have the file to ourselves, as soon as no other process has it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _LOCKED_FOR
    while True:
        try:
            raw.execute("BEGIN IMMEDIATE")
            return
        except OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE != SQLITE_BUSY or loop.time() >= deadline:
                raise
        await asyncio.sleep(_LOOK_AGAIN)


async def _run_here(connection: Connection, units: Iterable[_Unit]) -> None:
    """On the loop, with a pause now and then for all that waits meanwhile."""
    loop = asyncio.get_running_loop()
    left = loop.time() + _TURN
    for unit in units:
        unit.run(connection)
        if loop.time() >= left:
            await asyncio.sleep(0)
            left = loop.time() + _TURN


def _run(connection: Connection, units: Iterable[_Unit]) -> None:
    for unit in units:
        unit.run(connection)


def _undo(raw: SqliteConnection) -> None:
    if raw.in_transaction:
        raw.execute("ROLLBACK")
