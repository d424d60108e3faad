"""PostgreSQL through asyncpg: units of work run on a pool of connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, ExceptionContext, event
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import QueuePool

from orchestrator.work import Database, Pool, is_unavailable

T = TypeVar("T")

_LIMITS = {"idle_in_transaction_session_timeout": "3s", "lock_timeout": "2s"}
"""A unit of work waits for nobody, so who is silent in the middle of one is frozen or cut off. The server
ends it then: the rows that it locked are payments that another process has to learn of in time. Who waits
for a lock begins anew before that, or the units of a frozen process would hold it for 3 s one by one."""
_CONNECTED_WITHIN = 5.0
"""Seconds."""


class PostgresqlDatabase(Database):
    """Each unit of work is a transaction of its own: READ COMMITTED to write, one snapshot to read."""

    dialect = "postgresql"

    def __init__(self, url: str, pool_size: int = 10, patience: float = 10) -> None:
        """``patience`` is how many seconds a unit of work waits for one of the connections."""
        address = "postgresql+asyncpg://" + url.removeprefix("postgresql://")
        self._engine = create_async_engine(
            address,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=patience,
            pool_pre_ping=True,
            # What goes wrong is logged with its statement, but values may be customers' or secret.
            hide_parameters=True,
            connect_args={"server_settings": _LIMITS, "timeout": _CONNECTED_WITHIN},
        )
        event.listen(self._engine.sync_engine, "handle_error", _leave)
        self._reading = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    async def _write(self, work: Callable[[Connection], T]) -> T:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        async with self._reading.connect() as connection:
            return await connection.run_sync(work)

    def pool(self) -> Pool:
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)
        return Pool(pool.size(), pool.checkedout())

    async def close(self) -> None:
        await self._engine.dispose()


def _leave(context: ExceptionContext) -> None:
    """Drop all connections to a server that cannot serve: another may have taken its place meanwhile."""
    if is_unavailable(context.original_exception):
        context.is_disconnect = True
