"""A simulated process of the orchestrator: the product's own parts, on lines that the world holds.

Its code stops only where it awaits one of these lines. A dead process never gets past one again, so nothing
of it reaches database, SEQR or mail; a frozen one gets past when it wakes up, and then goes on as if nothing
had happened, with what it knew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import cached_property

from orchestrator.clerk import Clerk
from orchestrator.errors import OrchestratorError
from orchestrator.invoice import purchase_notified
from orchestrator.postman import Postman
from orchestrator.reconcile import Reconciler
from orchestrator.settings import Settings
from orchestrator.settlement import Settlement
from simulation.bank import Bank
from simulation.database import DatabaseLine, Store
from simulation.line import SeqrLine
from simulation.mailbox import Mailbag, Mailbox, MailLine
from simulation.world import World

SECRET = "what only the simulated shop knows"

_RECONCILE_EVERY, _BULK_EVERY, _MAIL_EVERY = 0.25, 0.5, 1.0
_DUE = "SELECT 1 FROM purchases WHERE next_check_at <= ? LIMIT 1"
_RUNS = "SELECT 1 FROM bulk_runs WHERE state IN ('running', 'stopping') LIMIT 1"
_MAILS = "SELECT 1 FROM outbox WHERE next_attempt_at <= ? LIMIT 1"


class Process:
    """One life of one process; ``name`` tells both. ``skew`` is how wrong its clock is."""

    def __init__(self, shop: Shop, name: str, skew: timedelta) -> None:
        self.name = name
        self.world = shop.world
        self.alive = True
        self.mailbag = Mailbag(shop.mailbox)
        self.went_down: Callable[[], None] = lambda: None
        self._shop = shop
        self._skew = skew
        self._thawed: asyncio.Future[None] | None = None
        self.database = DatabaseLine(shop.world, shop.store, self)
        seqr = SeqrLine(shop.world, shop.bank, self, shop.settings)
        self.settlement = Settlement(self.database, seqr, shop.settings, SECRET, self.clock)
        self.reconciler = Reconciler(self.database, self.settlement, shop.settings, self.clock)
        mail_line = MailLine(shop.world, shop.mailbox, self)
        self.postman = Postman(self.database, shop.settings, mail_line, self.clock)
        self.clerk = Clerk(self.database, self.settlement, self.clock)

    def clock(self) -> datetime:
        """The time of day as this process knows it."""
        return self.world.loop.now() + self._skew

    @property
    def able(self) -> bool:
        """Whether it does anything now."""
        return self.alive and self._thawed is None

    def start(self) -> None:
        """Run the jobs, as the scheduler does."""
        self.world.begin(self._repeat(self.reconciler.run_once, _RECONCILE_EVERY, lambda: self._due(_DUE)))
        self.world.begin(self._repeat(self.clerk.run_once, _BULK_EVERY, lambda: self._any(_RUNS)))
        self.world.begin(self._repeat(self.postman.run_once, _MAIL_EVERY, lambda: self._due(_MAILS)))

    def crash(self) -> None:
        """It is dead from now on."""
        if self.alive:
            self.alive = False
            self.mailbag.interrupted()
            self.world.step("crash", self.name, "dies")
            self.world.trouble.strike("process died", self.world.loop.elapsed)
            self.went_down()

    def freeze(self) -> None:
        """It stops where it is."""
        if self.able:
            self._thawed = self.world.loop.create_future()
            self.mailbag.interrupted()
            self.world.step("crash", self.name, "freezes")
            self.world.trouble.strike("process froze", self.world.loop.elapsed)
            self.went_down()

    def thaw(self) -> None:
        """It goes on."""
        if self._thawed is not None:
            self._thawed.set_result(None)
            self._thawed = None
            self.world.tell(self.name, "wakes up")

    async def gate(self) -> None:
        """Get past here only while alive and awake."""
        while not self.able or self.world.over:
            if self.world.over:
                raise asyncio.CancelledError
            if not self.alive:
                await self.world.buried()
            if self._thawed is not None:
                await asyncio.shield(self._thawed)

    async def spend(self, seconds: float) -> None:
        """Time passes. Whoever is dead by then never learns of it."""
        await asyncio.sleep(seconds)
        await self.gate()

    async def notified(self, key: str) -> None:
        """Somebody calls a notification address."""
        purchase_id = purchase_notified(key, SECRET)
        if purchase_id is not None:
            await self.settlement.notified(purchase_id, "SEQR")

    async def _repeat(
        self, run: Callable[[], Awaitable[object]], every: float, due: Callable[[], bool]
    ) -> None:
        """Run a job again and again. A run that would find nothing to do is left out, to save time."""
        await self.spend(self.world.random.uniform(0, every))
        while True:
            if due():
                try:
                    await run()
                except OrchestratorError as error:
                    self.world.tell(self.name, f"a job fails: {error.message}")
            await self.spend(every * (4 if self.world.calm else 1))

    def _due(self, query: str) -> bool:
        return bool(self._shop.store.rows(query, f"{self.clock():%Y-%m-%d %H:%M:%S.%f}"))

    def _any(self, query: str) -> bool:
        return bool(self._shop.store.rows(query))


class Shop:
    """What the processes of one run share."""

    def __init__(self, world: World, store: Store, bank: Bank, mailbox: Mailbox, settings: Settings) -> None:
        self.world, self.store, self.bank = world, store, bank
        self.mailbox, self.settings = mailbox, settings
        self.processes: list[Process] = []
        """The latest life of each."""

    @cached_property
    def skews(self) -> float:
        """How wrong the clocks may be, in seconds."""
        return self.world.random.choice((0.0, 0.0, 0.5, 2.0))

    def open(self, number: int) -> None:
        """Start so many processes."""
        for place in range(number):
            self.processes.append(self._started(place, 1))

    def able(self) -> list[Process]:
        """Those that do anything now."""
        return [process for process in self.processes if process.able]

    def some(self) -> Process:
        """The one that a load balancer would choose, which does not always know who is dead."""
        able = self.able()
        careful = able and self.world.random.random() < 0.9
        return self.world.random.choice(able if careful else self.processes)

    def restart(self, place: int, life: int) -> None:
        """A new process takes the place of a dead one."""
        self.processes[place] = self._started(place, life)
        self._note_who_is_able()

    def wake(self, process: Process) -> None:
        """A frozen one goes on."""
        process.thaw()
        self._note_who_is_able()

    def _started(self, place: int, life: int) -> Process:
        skew = timedelta(seconds=self.world.random.uniform(-self.skews, self.skews))
        process = Process(self, f"process {place + 1}.{life}", skew)

        def went_down() -> None:
            self._note_who_is_able()
            if not process.alive:
                pause = 1.0 if self.world.calm else self.world.random.uniform(0.5, 15)
                self.world.later(pause, lambda: self.restart(place, life + 1))

        process.went_down = went_down
        process.start()
        self.world.tell(process.name, "starts")
        return process

    def _note_who_is_able(self) -> None:
        note = self.world.trouble.end if self.able() else self.world.trouble.begin
        note("no process at work", self.world.loop.elapsed)
