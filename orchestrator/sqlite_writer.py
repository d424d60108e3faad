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
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from sqlite3 import SQLITE_BUSY, OperationalError
from sqlite3 import Connection as SqliteConnection
from typing import Any, TypeVar, cast

from sqlalchemy import Connection

from orchestrator.batch import carry_out
from orchestrator.work import DatabaseUnavailable

T = TypeVar("T")
_GROUP, _BRIEF_GROUP = 256, 64
"""So many units of work share a commit; fewer brief ones, since the loop does nothing else meanwhile."""
_LOCKED_FOR = 10.0
"""Seconds that another process may have the file to itself."""
_LOOK_AGAIN = 0.01
_PRIMARY_CODE = 0xFF


class SqliteWriter:
    """Carries out units of work one after the other, on one connection, from one event loop."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        """``connect`` makes the connection, which must not wait for locks by itself."""
        self._connect = connect
        self._connection: Connection | None = None
        self._queue: deque[_Unit] = deque()
        self._working: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")

    @property
    def waiting(self) -> int:
        """How many units of work have not been begun."""
        return len(self._queue)

    async def write(self, work: Callable[[Connection], T], *, brief: bool) -> T:
        """Carry out a unit of work, commit it, and answer with its result."""
        unit = _Unit(work, brief)
        self._queue.append(unit)
        if self._working is None:
            # In a context of nobody's: it goes on with what others have asked for.
            self._working = asyncio.get_running_loop().create_task(self._work(), context=Context())
        result: T = await unit.answer
        return result

    async def close(self) -> None:
        """Finish what is queued."""
        if self._working is not None:
            await self._working
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()

    async def _work(self) -> None:
        while self._queue:
            await self._commit_together(self._group())
        self._working = None

    def _group(self) -> list[_Unit]:
        """Those of one kind that came first."""
        group = [self._queue.popleft()]
        brief = group[0].brief
        most = _BRIEF_GROUP if brief else _GROUP
        while self._queue and self._queue[0].brief is brief and len(group) < most:
            group.append(self._queue.popleft())
        return group

    async def _commit_together(self, units: Sequence[_Unit]) -> None:
        try:
            if self._connection is None:
                self._connection = await self._in_thread(self._connect)
            await _begin(raw_connection(self._connection))
            if units[0].brief:
                _run(self._connection, units)
            else:
                await self._in_thread(_run, self._connection, units)
            await self._in_thread(raw_connection(self._connection).execute, "COMMIT")
        except Exception as error:  # nothing of the group was kept
            self._undo()
            for unit in units:
                unit.tell(error)
        else:
            for unit in units:
                unit.tell()

    def _in_thread(self, work: Callable[..., T], *given: object) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, work, *given)

    def _undo(self) -> None:
        if self._connection is not None and (raw := raw_connection(self._connection)).in_transaction:
            raw.execute("ROLLBACK")


class _Unit:
    """A unit of work, and its answer."""

    def __init__(self, work: Callable[[Connection], Any], brief: bool) -> None:
        self.brief = brief
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._work = work
        self._result: Any = None
        self._error: Exception | None = None

    def run(self, connection: Connection, raw: SqliteConnection) -> None:
        """Do the work in a savepoint: its error undoes only itself."""
        raw.execute("SAVEPOINT unit")
        try:
            self._result = carry_out(connection, self._work)
        except Exception as error:
            self._error = error
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


def _run(connection: Connection, units: Sequence[_Unit]) -> None:
    raw = raw_connection(connection)
    for unit in units:
        unit.run(connection, raw)
