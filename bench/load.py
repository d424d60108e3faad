"""A closed loop: so many workers, each doing one thing after the other, and what that took."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bench.process import cost

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one cell of the table may take: so many requests, or seconds if they are over first."""

    requests: int
    seconds: float

    def halved(self) -> Limits:
        """For what is measured in two halves."""
        return Limits(max(self.requests // 2, 1), self.seconds / 2)


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a closed loop: the seconds, a latency in ms for each request, the CPU of one in ms, and
    the resident memory at the end in MB."""

    elapsed: float
    latencies: Sequence[float]
    cpu_ms: float
    rss_mb: float

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.elapsed

    def joined(self, later: Run) -> Run:
        """This run and a later one of the same program as one; the memory is that of the later one."""
        mine, its = len(self.latencies), len(later.latencies)
        return Run(
            self.elapsed + later.elapsed,
            [*self.latencies, *later.latencies],
            (self.cpu_ms * mine + later.cpu_ms * its) / (mine + its),
            later.rss_mb,
        )


async def closed_loop(
    work: Callable[[T], Awaitable[object]],
    things: Iterable[T],
    connections: int,
    pid: int,
    seconds: float = math.inf,
) -> Run:
    """Do ``work`` on each of ``things``, ``connections`` at a time; see what process ``pid`` spends on it.

    After ``seconds`` nothing new is begun. The first error ends it all and is raised.
    """
    latencies: list[float] = []
    waiting = iter(things)
    before, begun = cost(pid), time.perf_counter()
    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(connections):
                workers.create_task(_worker(work, waiting, latencies, begun + seconds))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    elapsed, after = time.perf_counter() - begun, cost(pid)
    return Run(elapsed, latencies, (after.cpu_ms - before.cpu_ms) / len(latencies), after.rss_mb)


async def _worker(
    work: Callable[[T], Awaitable[object]], waiting: Iterator[T], latencies: list[float], deadline: float
) -> None:
    for thing in waiting:
        begun = time.perf_counter()
        await work(thing)
        ended = time.perf_counter()
        latencies.append((ended - begun) * 1000)
        if ended >= deadline:
            return


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of ``values`` that ``percent`` of them do not exceed (nearest rank)."""
    rank = math.ceil(len(values) * percent / 100)
    return sorted(values)[max(rank, 1) - 1]
