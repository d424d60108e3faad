"""The world of one run: its time, its chance, what is down now, and what has been seen to be wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from simulation.clock import VirtualLoop
from simulation.odds import draw_faults
from simulation.story import Story
from simulation.trouble import Trouble

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Breach:
    """An invariant that did not hold."""

    invariant: str
    words: str
    at: float


class World:
    """Everything that is shared. One ``Random``, drawn from in the order in which things happen."""

    def __init__(self, seed: int, loop: VirtualLoop) -> None:
        self.random = Random(seed)
        self.loop = loop
        self.story = Story()
        self.trouble = Trouble()
        self.steps: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.checks: Counter[str] = Counter()
        self.away: set[str] = set()
        """What is lacking now: SEQR, its answers, its speed, the database, the mail server."""
        self.calm = False
        """Whether nothing goes wrong any more."""
        self.over = False
        self.breach: Breach | None = None
        self.ended: asyncio.Future[None] = loop.create_future()
        self._odds = draw_faults(self.random)
        self._graves: list[asyncio.Future[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def step(self, kind: str, who: str, what: str) -> None:
        """Something happens: count it and tell it."""
        self.steps[kind] += 1
        self.tell(who, what)

    def tell(self, who: str, what: str) -> None:
        """Add to the story, until the end or the breach."""
        if self.breach is None and not self.over:
            self.story.tell(self.loop.elapsed, who, what)

    def fate(self, edge: str, times: float = 1.0) -> str | None:
        """What goes wrong with one call over this edge; mostly nothing. Rare calls suffer so many times as
        often."""
        odds = self._odds[edge]
        if self.calm or not odds:
            return None
        drawn = self.random.random() / times
        for kind, chance in odds.items():
            drawn -= chance
            if drawn < 0:
                self.faults[f"{edge}: {kind}"] += 1
                return kind
        return None

    def latency(self) -> float:
        """Seconds for one way over a network: mostly short, now and then not."""
        drawn = self.random.random()
        return 0.001 + 0.02 * drawn if drawn < 0.9 else self.random.uniform(0.02, 0.6)

    def complain(self, invariant: str, words: str) -> None:
        """An invariant does not hold: the run ends with this."""
        if self.breach is None and not self.over:
            self.tell("INVARIANT", f"{invariant}: {words}")
            self.breach = Breach(invariant, words, self.loop.elapsed)
            self.end()

    def check(self, invariant: str, complaints: Sequence[str] = ()) -> None:
        """Count a look at an invariant; what it found is told first come, first served."""
        self.checks[invariant] += 1
        if complaints:
            self.complain(invariant, "; ".join(complaints))

    def end(self) -> None:
        """The run is over as soon as its turn comes."""
        if not self.ended.done():
            self.ended.set_result(None)

    def begin(self, work: Awaitable[None]) -> None:
        """Have somebody live beside the others. What they stumble over ends the run."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after a while, unless the run is over."""
        self.loop.call_later(seconds, lambda: None if self.over else act())

    async def buried(self) -> None:
        """Never comes back, until the run is over."""
        grave: asyncio.Future[None] = self.loop.create_future()
        self._graves.append(grave)
        await grave

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self.over:
            self.complain("nothing unexpected is raised", f"{type(error).__name__}: {error}")
