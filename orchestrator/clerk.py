"""The clerk: works through bulk runs, in any number of processes at once.

Each item is claimed, acted on and recorded, each in a commit of its own; SEQR is called in between. A clerk
that dies leaves a lease behind, and another begins the same item again once it is over. That is harmless: the
action carries the revision that the operator saw, so what was done already is not done a second time; it
is found in the journal and recorded as done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import structlog

from orchestrator import bulk, exchange
from orchestrator.bulk import ItemState, Task
from orchestrator.database import Database
from orchestrator.errors import OrchestratorError
from orchestrator.identity import now
from orchestrator.intent import Changed, changes_since
from orchestrator.purchase import load
from statemachine import Action, NotAllowed

log = structlog.get_logger(__name__)

LANES = 8
"""Items at a time in one process: an eighth of the reconciler's, whose line to SEQR has room for both."""

_UNEXPECTED = "Something went wrong that nobody thought of. The log has it."


class NoAnswer(OrchestratorError):
    """SEQR did not answer. Try again when it does."""

    code = "no_answer"
    retryable = True


class TriedInVain(OrchestratorError):
    """It was begun several times, and each time the process stopped before the end. Look at it by itself."""

    code = "tried_in_vain"


class Actor(Protocol):
    """What acts on one purchase; the settlement."""

    async def act(
        self, purchase_id: str, action: Action, actor: str, seen: int | None = None, why: str = ""
    ) -> bool | None:
        """Do it, if the purchase is still at the revision ``seen``; returns False when SEQR was only to be
        asked, and did not answer."""


class Clerk:
    """Keeps up to ``LANES`` items in hand while there is something to do."""

    def __init__(
        self, database: Database, settlement: Actor, clock: Callable[[], datetime] = now, lanes: int = LANES
    ) -> None:
        self._database = database
        self._settlement = settlement
        self._clock = clock
        self._lanes = lanes
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = 0
        self._closing = False

    async def run_once(self) -> int:
        """Set free lanes to work; returns how many. Does not wait for them."""
        if not await self._database.read(bulk.under_way):
            return 0
        await self._database.write(bulk.finish, self._clock())
        begun = 0
        while len(self._tasks) < self._lanes and (task := await self._claim()) is not None:
            lane = asyncio.create_task(self._lane(task))
            self._tasks.add(lane)
            lane.add_done_callback(self._tasks.discard)
            begun += 1
        return begun

    async def close(self) -> None:
        """Claim nothing more and wait for what is in hand."""
        self._closing = True
        await self.idle()

    async def idle(self) -> None:
        """Wait until nothing is in hand."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _claim(self) -> Task | None:
        if self._closing:
            return None
        self._turn += 1
        return await self._database.write(bulk.claim, self._clock(), self._turn)

    async def _lane(self, task: Task | None) -> None:
        try:
            while task is not None:
                await self._handle(task)
                task = await self._claim()
            await self._database.write(bulk.finish, self._clock())
        except OrchestratorError as error:  # the database; the lease runs out, and somebody goes on
            log.warning("bulk.lane_ends", error=error.message)

    async def _handle(self, task: Task) -> None:
        try:
            if task.tries > bulk.MOST_TRIES:
                raise TriedInVain
            await self._act(task)
        except (NotAllowed, Changed) as refusal:
            await self._refused(task, refusal)
        except OrchestratorError as error:
            await self._went_wrong(task, error)
        except Exception:
            log.exception("bulk.item_failed", run_id=task.run_id, purchase_id=task.purchase_id)
            await self._record(task, ItemState.FAILED, _UNEXPECTED)
        else:
            await self._done(task)

    async def _act(self, task: Task) -> None:
        reached = await self._settlement.act(
            task.purchase_id, task.action, task.actor, seen=task.revision, why=task.why
        )
        if reached is False:
            raise NoAnswer

    async def _done(self, task: Task) -> None:
        """It is not done where SEQR was asked, and would not say."""
        if task.action is Action.CHECK:
            refusal = await self._database.read(exchange.last_refusal, task.purchase_id)
            if refusal is not None:
                await self._record(task, ItemState.REFUSED, refusal)
                return
        after = await self._database.read(load, task.purchase_id)
        await self._record(task, ItemState.DONE, after.state)

    async def _refused(self, task: Task, refusal: NotAllowed | Changed) -> None:
        """It cannot be done, or was done by us before a crash kept us from writing it down."""
        if task.tries > 1:
            changes = await self._database.read(changes_since, task.purchase_id, task.revision)
            if changes and changes[0].actor == task.actor:
                await self._done(task)
                return
        words = refusal.why if isinstance(refusal, NotAllowed) else refusal.message
        await self._record(task, ItemState.REFUSED, words)

    async def _went_wrong(self, task: Task, error: OrchestratorError) -> None:
        if error.retryable and task.tries < bulk.MOST_TRIES:
            await self._database.write(bulk.postpone, task, error.message, self._clock())
        else:
            await self._record(task, ItemState.FAILED, error.message)

    async def _record(self, task: Task, state: ItemState, outcome: str) -> None:
        await self._database.write(bulk.record, task, state, outcome)
        log.info(
            "bulk.item",
            run_id=task.run_id,
            purchase_id=task.purchase_id,
            action=task.action.value,
            state=state.value,
        )
