"""The database: units of work, run at the edge, each in one transaction.

A unit of work is a plain function whose first argument is a SQLAlchemy connection. It never commits and
never waits for anything but the database; ``Database.write`` commits it, whole or not at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from sqlite3 import OperationalError as SqliteOperationalError
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from orchestrator.errors import OrchestratorError

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[Concatenate[Connection, P], T]
Runner = Callable[[Callable[[Connection], Any]], Awaitable[Any]]

_RERUNS = 8
_RERUN_CODES = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL's SQLSTATEs for: not serialisable, deadlock, a lock that did not come in time."""
_UNAVAILABLE = ("08", "25006", "25P03", "28", "3D", "53", "57", "58")
"""PostgreSQL's classes of SQLSTATE for: no connection, only a standby, we were silent for too long, sign-in
refused, no such database, out of resources, stopping or starting, a failing disk. asyncpg's errors of these
kinds are plain DBAPIErrors."""


class DatabaseUnavailable(OrchestratorError):
    """The database cannot be reached. Start it, or correct ORCHESTRATOR_DATABASE_URL."""

    code = "database_unavailable"
    retryable = True


class LostRace(OrchestratorError):
    """Somebody else changed it first: what was read is no longer so."""

    code = "lost_race"
    retryable = True


@dataclass(frozen=True, slots=True)
class Pool:
    """The connections of this process: how many there are at most, how many are in use, and how many units
    of work wait for one."""

    size: int = 0
    in_use: int = 0
    waiting: int = 0


class Database(ABC):
    """One database, of either kind."""

    dialect: str

    async def write(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` and commit. A race that it lost (LostRace, a deadlock) makes it run again on what is
        there now.

        Raises:
            DatabaseUnavailable: nothing was committed, or nobody can tell.
            LostRace: it lost again and again.
        """
        return await self._until_won(self._write, work, *args, **kwargs)

    async def write_brief(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for work that takes a millisecond or so: a few rows, each found by a key. On SQLite it
        costs less than ``write``, and nothing else is done in the process meanwhile."""
        return await self._until_won(self._write_briefly, work, *args, **kwargs)

    async def write_once(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work``, which is as brief, and commit, without another try.

        Raises:
            DatabaseUnavailable: nothing was committed, or nobody can tell.
            LostRace: nothing was committed.
        """
        return await self._guarded(self._write_briefly, work, *args, **kwargs)

    async def read(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work``, which only reads, on one consistent view.

        Raises:
            DatabaseUnavailable: there is no answer.
        """
        return await self._guarded(self._read, work, *args, **kwargs)

    async def glance(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work``, which reads with a single prepared statement by a key: it costs less than ``read``.

        Raises:
            DatabaseUnavailable: there is no answer.
        """
        return await self._guarded(self._glance, work, *args, **kwargs)

    async def _until_won(self, run: Runner, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(_RERUNS - 1):
            try:
                return await self._guarded(run, work, *args, **kwargs)
            except LostRace:
                continue
        return await self._guarded(run, work, *args, **kwargs)

    async def _guarded(self, run: Runner, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return cast("T", await run(lambda connection: work(connection, *args, **kwargs)))
        except (OperationalError, InterfaceError, SqliteOperationalError, OSError, TimeoutError) as error:
            raise DatabaseUnavailable(_unavailable(error)) from error
        except Exception as error:
            origin = getattr(error, "orig", None) or error
            if sqlstate(origin) in _RERUN_CODES:
                raise LostRace from error
            if getattr(error, "connection_invalidated", False) or is_unavailable(origin):
                raise DatabaseUnavailable(_unavailable(error)) from error
            raise

    def pool(self) -> Pool:
        """The connections now."""
        return Pool()

    @abstractmethod
    async def _write(self, work: Callable[[Connection], T]) -> T: ...

    async def _write_briefly(self, work: Callable[[Connection], T]) -> T:
        return await self._write(work)

    @abstractmethod
    async def _read(self, work: Callable[[Connection], T]) -> T: ...

    async def _glance(self, work: Callable[[Connection], T]) -> T:
        return await self._read(work)

    @abstractmethod
    async def close(self) -> None:
        """Finish what was begun and let go of every connection."""


def sqlstate(error: BaseException | None) -> str:
    """PostgreSQL's code of an error; empty where there is none."""
    return getattr(error, "sqlstate", None) or ""


def is_unavailable(error: BaseException | None) -> bool:
    """Whether PostgreSQL says that it can do nothing now, whatever it is asked."""
    return sqlstate(error).startswith(_UNAVAILABLE)


_DISK_IS_FULL = (
    "The database's disk is full: make room on it. Nothing that was answered is lost, and all goes on by "
    "itself when there is room."
)
_DISK_FULL_CODE, _DISK_FULL_WORDS = "53100", "disk is full"


def _unavailable(error: Exception) -> str:
    origin = getattr(error, "orig", None) or error
    reason = str(origin).partition("\n")[0].strip() or type(error).__name__
    if sqlstate(origin) == _DISK_FULL_CODE or _DISK_FULL_WORDS in reason:
        return _DISK_IS_FULL
    return f"The database does not answer ({reason}). Start it, or correct ORCHESTRATOR_DATABASE_URL."
