"""The database of a run: one SQLite in memory, which every process reaches over a bad line.

Each unit of work is atomic, as on the real ones. What differs is only what happens around it: it takes time
to get there and back, and anything may break on either way.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from orchestrator import migration
from orchestrator.batch import DRIVER, carry_out, give_way
from orchestrator.driver import SqliteDriver
from orchestrator.errors import OrchestratorError
from orchestrator.work import Database, LostRace
from simulation.clock import VirtualLoop
from simulation.world import World

if TYPE_CHECKING:
    from simulation.process import Process

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[Concatenate[Connection, P], T]

_AWAY = "connection refused"
_CUT = "connection reset"


class Store:
    """The data. ``committed`` is called after every commit that changed something."""

    def __init__(self) -> None:
        self.raw = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        engine = create_engine("sqlite://", creator=lambda: self.raw, poolclass=StaticPool)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        event.listen(engine, "connect", _set_up)
        give_way(engine)
        self._connection = engine.connect()
        self.committed: Callable[[], None] = _nothing
        self.wrote_in_read: Callable[[str], None] = lambda _: None

    def reset(self, template: bytes) -> None:
        """Begin with a migrated, empty database."""
        self.raw.deserialize(template)
        self.raw.execute("PRAGMA foreign_keys = ON")

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run a unit of work and commit it."""
        before = self.raw.total_changes
        with self._connection.begin():
            result = carry_out(self._connection, work)
        if self.raw.total_changes != before:
            self.committed()
        return result

    def undo(self, work: Callable[[Connection], object]) -> None:
        """Run a unit of work for nothing."""
        with self._connection.begin() as transaction:
            carry_out(self._connection, work)
            transaction.rollback()

    def read(self, work: Callable[[Connection], T], name: str = "") -> T:
        """Run a unit of work that only reads."""
        before = self.raw.total_changes
        with self._connection.begin():
            result = carry_out(self._connection, work)
        if self.raw.total_changes != before:
            self.wrote_in_read(name)
        return result

    def rows(self, query: str, *values: object) -> list[Any]:
        """What a plain query finds, outside the story."""
        return self.raw.execute(query, values).fetchall()


def _set_up(raw: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
    record.info[DRIVER] = SqliteDriver(raw)


def _nothing() -> None:
    """Nobody looks."""


class _DirectLine(Database):
    """The store without anything in between."""

    dialect = "sqlite"

    def __init__(self, store: Store) -> None:
        self._store = store

    async def close(self) -> None:
        """Nothing is open."""

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return self._store.write(work)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        return self._store.read(work)


@cache
def migrated() -> bytes:
    """A migrated, empty database, made once."""
    store, loop = Store(), VirtualLoop()
    loop.run_until_complete(migration.migrate(_DirectLine(store)))
    loop.close()
    return bytes(store.raw.serialize())


@cache
def shared_store() -> Store:
    """One for all runs of this interpreter, one after the other: SQLAlchemy keeps what it has compiled."""
    return Store()


class DatabaseLine(Database):
    """A process' connection to the store."""

    dialect = "sqlite"

    def __init__(self, world: World, store: Store, process: Process) -> None:
        self._world = world
        self._store = store
        self._process = process

    async def close(self) -> None:
        """Nothing is open."""

    async def _guarded(
        self,
        run: Callable[[Callable[[Connection], Any]], Awaitable[Any]],
        work: Work[P, T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Remember which unit of work is run: only here it has a name."""
        writes = run in (self._write, self._write_briefly)
        name = f"{work.__module__.rpartition('.')[2]}.{work.__name__}"
        about = next((value for value in args if isinstance(value, str)), "")

        async def named(unit: Callable[[Connection], Any]) -> Any:
            return await self._unit(f"{name} {about}".rstrip(), unit, writes=writes)

        try:
            result = await super()._guarded(named, work, *args, **kwargs)
        except OrchestratorError:
            self._process.mailbag.failed(work, args)
            raise
        self._process.mailbag.done(work, args, result)
        return result

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await self._unit("write", work, writes=True)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        return await self._unit("read", work, writes=False)

    async def _unit(self, name: str, work: Callable[[Connection], T], *, writes: bool) -> T:
        process, world = self._process, self._world
        await process.gate()
        fate = world.fate("database")
        if fate is not None:
            world.trouble.strike(
                f"database: {fate}", world.loop.elapsed, lasting=3.0 if fate == "slow" else 0
            )
        await process.spend(world.latency() + (world.random.uniform(0.5, 3) if fate == "slow" else 0))
        world.step("unit of work", process.name, f"{name}{f'  [{fate}]' if fate else ''}")
        await self._break_before(fate)
        if fate == "deadlock" and writes:
            self._store.undo(work)
            raise LostRace
        result = self._store.write(work) if writes else self._store.read(work, name)
        if fate == "crash after the commit":
            process.crash()
        await process.spend(world.latency())
        if fate == "lost after the commit":
            raise ConnectionResetError(_CUT)
        return result

    async def _break_before(self, fate: str | None) -> None:
        if fate == "crash before the work":
            self._process.crash()
            await self._process.gate()
        if "database" in self._world.away:
            await self._process.spend(self._world.latency())
            raise ConnectionRefusedError(_AWAY)
        if fate == "lost before the work":
            raise ConnectionResetError(_CUT)
