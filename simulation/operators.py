"""Operators: they retry, cancel, check, restock and miscount, mostly at the worst moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from orchestrator import bulk, stock
from orchestrator.bulk import Seen, Wish
from orchestrator.errors import OrchestratorError
from orchestrator.identity import new_id
from orchestrator.stamp import Stamp
from simulation.bank import Booked
from simulation.database import Store
from simulation.process import Process, Shop
from simulation.world import World
from statemachine import Action, StateMachineError

_NAME = "operator:ann"
_SEEN = "SELECT revision FROM purchases WHERE id = ?"
_ALL = "SELECT id, revision FROM purchases ORDER BY id"
_TEMPTED = 0.25


class Operators:
    """Everybody with a mouse. ``busy`` is how many seconds lie between two acts on average."""

    def __init__(self, world: World, shop: Shop, store: Store, tokens: list[str]) -> None:
        self._world, self._shop, self._store = world, shop, store
        self._tokens = tokens
        self._busy = world.random.choice((4.0, 10.0, 40.0))

    async def work(self) -> None:
        """Do something now and then, as long as the storm lasts."""
        acts: list[Callable[[], Awaitable[None]]] = [self._act, self._act, self._act, self._act_on_many]
        acts += [self._restock, self._restock, self._miscount]
        while True:
            await asyncio.sleep(self._world.random.expovariate(1 / self._busy))
            if self._world.calm:
                return
            self._world.begin(self._attempt(self._world.random.choice(acts)))

    def tempt(self, booked: Booked) -> None:
        """Just now something happens to a purchase: that is when somebody clicks."""
        if not self._world.calm and self._world.random.random() < _TEMPTED:
            act = partial(self._act, booked.purchase_id)
            moment = self._world.random.choice((0.02, 0.3, 2.0)) * self._world.random.random()
            self._world.later(moment, lambda: self._world.begin(self._attempt(act)))

    async def _attempt(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except (OrchestratorError, StateMachineError) as refusal:
            self._world.tell("operator", f"is told: {refusal}")

    def _process(self) -> Process | None:
        process = self._shop.some()
        return process if process.alive else None

    async def _act(self, purchase_id: str | None = None) -> None:
        random, process = self._world.random, self._process()
        known = self._store.rows(_ALL)
        if not known or process is None:
            return
        purchase_id = purchase_id or random.choice(known)[0]
        found = self._store.rows(_SEEN, purchase_id)
        if not found:
            return
        seen = random.choice((None, found[0][0], max(1, found[0][0] - 1)))
        action = random.choice(list(Action))
        self._world.step("operator", "operator", f"wants {action.value} of {purchase_id}, seen at {seen}")
        await asyncio.sleep(self._world.latency())
        await process.settlement.act(purchase_id, action, _NAME, seen, "because")

    async def _act_on_many(self) -> None:
        random, process = self._world.random, self._process()
        known = self._store.rows(_ALL)
        if not known or process is None:
            return
        chosen = [Seen(*row) for row in random.sample(known, random.randint(1, len(known)))]
        action = random.choice((Action.RETRY, Action.CANCEL))
        self._world.step("operator", "operator", f"wants {action.value} of {len(chosen)} purchases")
        wish = Wish(new_id(process.clock()), action, "because", "")
        await process.database.write(bulk.begin, wish, chosen, Stamp(_NAME, process.clock()))

    async def _restock(self) -> None:
        await self._move(self._world.random.randint(1, 4), "delivery")

    async def _miscount(self) -> None:
        if self._world.random.random() < 0.3:
            await self._move(-1, "breakage")

    async def _move(self, change: int, reason: str) -> None:
        process, token = self._process(), self._world.random.choice(self._tokens)
        if process is not None:
            self._world.step("operator", "operator", f"books {change:+} of {token}")
            at = process.clock()
            await process.database.write(stock.receive, token, change, reason, _NAME, at)
