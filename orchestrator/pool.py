"""A pool of PostgreSQL connections that are kept open: to take one costs next to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from orchestrator.batch import DRIVER
from orchestrator.work import Pool, is_unavailable


@dataclass(slots=True, eq=False)
class _Kept:
    """A connection. It is of use in one ``era``: until the server was found unable to serve."""

    connection: AsyncConnection
    era: int

    def lives(self, era: int) -> bool:
        """Whether it is of use still, as far as anybody knows."""
        sync = self.connection.sync_connection
        return self.era == era and sync is not None and not sync.invalidated and sync.info[DRIVER].is_open()


class ConnectionPool:
    """At most ``size`` connections; who gets none within ``patience`` seconds is told so by TimeoutError.

    SQLAlchemy's own pool takes as long as a statement to give a connection and to take it back, and asks the
    server each time whether it still lives. That it does not, asyncpg knows by itself when it is closed.
    """

    def __init__(self, engine: AsyncEngine, size: int, patience: float) -> None:
        self._engine = engine
        self._size = size
        self._patience = patience
        self._free = asyncio.Semaphore(size)
        self._idle: list[_Kept] = []
        self._era = self._in_use = self._waiting = 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection. Whoever is interrupted while he has it leaves it closed.

        Raises:
            TimeoutError: none became free in time.
        """
        await self._take_turn()
        self._in_use += 1
        try:
            kept = await self._take()
            try:
                yield kept.connection
            except BaseException as error:
                self._judge(kept, error)
                raise
            finally:
                await self._take_back(kept)
        finally:
            self._in_use -= 1
            self._free.release()

    def state(self) -> Pool:
        """The connections now."""
        return Pool(self._size, self._in_use, self._waiting)

    async def close(self) -> None:
        """Close what nobody uses."""
        while self._idle:
            await self._idle.pop().connection.close()

    async def _take_turn(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        finally:
            self._waiting -= 1

    async def _take(self) -> _Kept:
        while self._idle:
            kept = self._idle.pop()
            if kept.lives(self._era):
                return kept
            await _drop(kept)
        return _Kept(await self._engine.connect(), self._era)

    def _judge(self, kept: _Kept, error: BaseException) -> None:
        if not isinstance(error, Exception):
            kept.era = -1
        elif is_unavailable(getattr(error, "orig", None) or error):
            self._era += 1  # another server may have taken the place of this one meanwhile

    async def _take_back(self, kept: _Kept) -> None:
        if kept.lives(self._era):
            self._idle.append(kept)
        else:
            await _drop(kept)


async def _drop(kept: _Kept) -> None:
    await kept.connection.invalidate()
    await kept.connection.close()
