"""The customers: so many purchases open at all times, one after the other paid, and SEQR's word about it.

Who pays next is drawn among all who could, so some pay at once and some after minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from bench.shop import Shop
from endurance.bank import Bank

ORDERING = 8
"""So many order at a time."""
_CATCHING_UP = 1.0
"""Seconds."""
ALL, NONE, LATE, REPEATED = "all", "none", "late", "repeated"


@dataclass(frozen=True, slots=True)
class Plan:
    """So many purchases are paid, about ``per_second`` at most, while ``crowd`` or more are open."""

    count: int
    crowd: int
    per_second: float
    late: tuple[float, float] = (6.0, 15.0)
    """Seconds by which a late notification is late."""
    spread: tuple[float, float] = (-1.0, 8.0)
    """Seconds around the payment in which a notification is repeated."""


Moments = Callable[[Plan, Random], list[float]]
"""When a purchase's notifications set out, in seconds after its payment; before it where negative."""


def _at_once(_plan: Plan, _chance: Random) -> list[float]:
    return [0.0]


def _never(_plan: Plan, _chance: Random) -> list[float]:
    return []


def _late(plan: Plan, chance: Random) -> list[float]:
    return [chance.uniform(*plan.late)]


def _repeated(plan: Plan, chance: Random) -> list[float]:
    return sorted([0.0, *(chance.uniform(*plan.spread) for _ in range(chance.randint(1, 4)))])


MODES: Mapping[str, Moments] = {ALL: _at_once, NONE: _never, LATE: _late, REPEATED: _repeated}


@dataclass
class Customers:
    """Everybody who buys in one run; ``fewest`` is how few were open when somebody paid, but at the end."""

    shop: Shop
    bank: Bank
    plan: Plan
    moments: Moments
    chance: Random
    paid: int = 0
    ordered: int = 0
    fewest: int | None = None
    _open: list[str] = field(default_factory=list)
    _grown: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Order and pay until everybody has, and every notification is out. The first error ends it all."""
        places = asyncio.Semaphore(self.plan.crowd + ORDERING)
        numbers = iter(range(self.plan.count))
        try:
            async with asyncio.TaskGroup() as all_of_them:
                for _ in range(ORDERING):
                    all_of_them.create_task(self._order(numbers, places))
                all_of_them.create_task(self._pay(all_of_them, places))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _order(self, numbers: Iterator[int], places: asyncio.Semaphore) -> None:
        for _ in numbers:
            await places.acquire()
            self._open.append(await self.shop.create_purchase())
            self.ordered += 1
            self._grown.set()

    async def _pay(self, group: asyncio.TaskGroup, places: asyncio.Semaphore) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time()
        for _ in range(self.plan.count):
            await self._until_crowded()
            # What was not paid because too few were open is made up for, but not for long.
            at = max(at, loop.time() - _CATCHING_UP) + self.chance.expovariate(self.plan.per_second)
            await _until(at)
            self._note_fewest()
            group.create_task(self._buy(self._drawn(), places, group))

    async def _until_crowded(self) -> None:
        while not self._open or (len(self._open) < self.plan.crowd and self.ordered < self.plan.count):
            self._grown.clear()
            await self._grown.wait()

    def _note_fewest(self) -> None:
        if self.ordered < self.plan.count:
            self.fewest = min(self.fewest or len(self._open), len(self._open))

    def _drawn(self) -> str:
        place = self.chance.randrange(len(self._open))
        self._open[place], self._open[-1] = self._open[-1], self._open[place]
        return self._open.pop()

    async def _buy(self, reference: str, places: asyncio.Semaphore, group: asyncio.TaskGroup) -> None:
        moments = self.moments(self.plan, self.chance)
        paying_at = asyncio.get_running_loop().time() - min([0.0, *moments])
        for moment in moments:
            group.create_task(self._notify(reference, paying_at + moment))
        await _until(paying_at)
        self.bank.pay(reference)
        self.paid += 1
        places.release()

    async def _notify(self, reference: str, at: float) -> None:
        await _until(at)
        self.bank.notified(reference)
        await self.shop.notify(self.bank.invoices[reference].address)


async def _until(at: float) -> None:
    await asyncio.sleep(at - asyncio.get_running_loop().time())
