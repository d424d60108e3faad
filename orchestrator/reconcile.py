"""The reconciler: looks at every purchase that is due, in any number of processes at once.

SEQR takes a payment back when nobody asks within 20 seconds (facts, rule 1). So nothing here waits for
anything slow: a check that hangs holds one slot, and the others go on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import structlog

from orchestrator import watch
from orchestrator.database import Database, DatabaseUnavailable
from orchestrator.identity import now
from orchestrator.settings import Settings
from orchestrator.watch import Watched

log = structlog.get_logger(__name__)

SLOTS = 64
_BATCH = 200
_DOWN_AFTER = 10
_PROBE_EVERY = 1.0


class Checker(Protocol):
    """What looks at one purchase; the settlement."""

    async def check(
        self, purchase_id: str, actor: str, everything: bool = False, found: Watched | None = None
    ) -> bool | None:
        """Move the purchase as far as it goes; returns whether SEQR was in reach, None if not asked."""


class Reconciler:
    """Claims what is due and has it checked, at most ``SLOTS`` at a time.

    When SEQR fails many times in a row, one purchase a second is tried until an answer comes; then all that
    have become due meanwhile are asked about at once.
    """

    def __init__(
        self,
        database: Database,
        settlement: Checker,
        settings: Settings,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._database = database
        self._settlement = settlement
        self._settings = settings
        self._clock = clock
        self._slots = asyncio.Semaphore(SLOTS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._probed_at = 0.0

    async def run_once(self) -> int:
        """Begin a check of everything that is due now; returns how many were begun."""
        begun = 0
        while limit := self._how_many():
            due = await self._database.write(watch.claim, self._settings, self._clock(), limit)
            for found in due:
                if limit > 1 and self._failures >= _DOWN_AFTER:
                    return begun  # the others are due again in a moment, and one a second is tried
                await self._begin(found)
                begun += 1
            if len(due) < limit or limit == 1:
                break
        return begun

    async def close(self) -> None:
        """Wait for the checks under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _how_many(self) -> int:
        if self._failures < _DOWN_AFTER:
            return _BATCH
        if time.monotonic() - self._probed_at < _PROBE_EVERY:
            return 0
        self._probed_at = time.monotonic()
        return 1

    async def _begin(self, found: Watched) -> None:
        await self._slots.acquire()
        task = asyncio.create_task(self._check(found))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _check(self, found: Watched) -> None:
        purchase_id = found.purchase.id
        try:
            reached = await self._settlement.check(purchase_id, "reconciler", found=found)
        except Exception:
            # The claim has made it due again in a few seconds; others must not suffer for it.
            log.exception("purchase.check_failed", purchase_id=purchase_id, actor="reconciler")
        else:
            if self._is_back(reached):
                await self._wake()
        finally:
            self._slots.release()

    def _is_back(self, reached: bool | None) -> bool:
        """Count how often in a row SEQR failed; returns whether this is the first answer after an outage."""
        if reached is None:  # nothing was asked, so nothing was learnt
            return False
        if not reached:
            self._failures += 1
            if self._failures == _DOWN_AFTER:
                log.warning("seqr.down", failures=self._failures)
            return False
        failures, self._failures = self._failures, 0
        return failures >= _DOWN_AFTER

    async def _wake(self) -> None:
        """A payment of the last seconds is taken back unless it is asked about now (facts, rule 1)."""
        try:
            woken = await self._database.write(watch.wake_unanswered, self._clock())
        except DatabaseUnavailable:
            woken = 0  # they are due within seconds anyhow
        log.info("seqr.back", woken=woken)
