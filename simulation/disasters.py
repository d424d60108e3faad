"""Disasters: what is down for all, for a while."""

from __future__ import annotations

import asyncio

from simulation.odds import draw_disasters
from simulation.process import Shop
from simulation.world import World

_DOWN = {
    "SEQR away": "SEQR",
    "SEQR hangs": "SEQR's voice",
    "SEQR slow": "SEQR's speed",
    "database away": "database",
    "mail server away": "mail server",
}
_IN_THE_WAY = ("SEQR", "SEQR's voice", "database")
"""Without these nobody can ask about anything."""

_LONG = (0.5, 3.0, 12.0, 35.0)
_FROZEN = (1.0, 6.0, 15.0, 150.0)


class Disasters:
    """Each kind that this run has comes again and again, until it is calm."""

    def __init__(self, world: World, shop: Shop) -> None:
        self._world, self._shop = world, shop

    def begin(self) -> None:
        """Let them come."""
        for kind, every in draw_disasters(self._world.random).items():
            self._world.begin(self._come(kind, every))

    async def _come(self, kind: str, every: float) -> None:
        world = self._world
        while True:
            await asyncio.sleep(world.random.expovariate(1 / every))
            if world.calm:
                return
            world.faults[kind] += 1
            if kind.startswith("process"):
                self._befall_a_process(kind)
            else:
                await self._take_away(kind, world.random.choice(_LONG) * world.random.uniform(0.5, 1.5))

    def _befall_a_process(self, kind: str) -> None:
        process = self._world.random.choice(self._shop.processes)
        if kind == "process killed":
            process.crash()
        elif process.able:
            process.freeze()
            self._world.later(self._world.random.choice(_FROZEN), lambda: self._shop.wake(process))

    async def _take_away(self, kind: str, seconds: float) -> None:
        world, what = self._world, _DOWN[kind]
        world.step("outage", "world", f"{what} is away")
        world.away.add(what)
        if what in _IN_THE_WAY:
            world.trouble.begin(kind, world.loop.elapsed)
        await asyncio.sleep(seconds)
        world.tell("world", f"{what} is back")
        world.away.discard(what)
        world.trouble.end(kind, world.loop.elapsed)
