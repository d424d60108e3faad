"""More than one process: what a purchase costs them together, and how many purchases come in a second."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from bench.databases import POSTGRESQL, databases, run_directory
from bench.load import Limits, Run, percentile
from bench.programs import ORCHESTRATOR
from bench.report import Say, Table, number
from bench.scenarios import create_purchases
from bench.seqr import stub_seqr
from bench.shop import CROWDED, prepare, serving

HEADER = ("workers", "conn", "count", "per s", "p50 ms", "p99 ms", "CPU ms", "RSS MB", "of one", "CPU × one")
ROUNDS = 2
"""Times that each number of processes has its turn, from the first to the last and back."""
_WARM_UP = 40
"""Purchases for each process."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How many processes, and how much each time."""

    workers: tuple[int, ...]
    limits: Limits
    connections: int = 32


FULL = Scale((1, 2, 3, 4), Limits(3000, 8))
QUICK = Scale((1, 2), Limits(1000, 3))


@dataclass(frozen=True, slots=True)
class Crew:
    """So many processes. ``ratio`` and ``cpu_ratio`` are held against the first line."""

    workers: int
    connections: int
    count: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    rss_mb: float
    ratio: float
    cpu_ratio: float

    @classmethod
    def of(cls, workers: int, connections: int, run: Run, one: Run) -> Crew:
        """What came of it, held against ``one``."""
        return cls(
            workers,
            connections,
            len(run.latencies),
            run.per_second,
            percentile(run.latencies, 50),
            percentile(run.latencies, 99),
            run.cpu_ms,
            run.rss_mb,
            run.per_second / one.per_second,
            run.cpu_ms / one.cpu_ms,
        )

    def cells(self) -> list[str]:
        """As text, in the order of the header."""
        return [
            *(str(self.workers), str(self.connections), str(self.count), number(self.per_second, 0)),
            *(number(self.p50_ms, 1), number(self.p99_ms, 1), number(self.cpu_ms, 2)),
            *(number(self.rss_mb, 0), number(self.ratio, 2), number(self.cpu_ratio, 2)),
        ]


async def report(quick: bool, home: Path, say: Say) -> tuple[Table, dict[str, str]]:
    """Processes as a part of ``make bench``."""
    return await measure(QUICK if quick else FULL, home, say), {}


async def measure(scale: Scale, home: Path, say: Say) -> Table:
    """createPurchase on PostgreSQL by each number of processes. Raises BenchError."""
    runs: dict[int, Run] = {}
    with run_directory(home) as place, databases(POSTGRESQL, place) as make:
        for round_ in range(ROUNDS):
            for workers in scale.workers if round_ % 2 == 0 else reversed(scale.workers):
                say(f"{workers} processes on {POSTGRESQL}")
                run = await _run(scale, workers, make(f"workers{workers}_{round_}"), place)
                runs[workers] = runs[workers].joined(run) if workers in runs else run
    one = runs[scale.workers[0]]
    lines = [Crew.of(workers, scale.connections, run, one) for workers, run in runs.items()]
    return Table(f"createPurchase by more than one process, on {POSTGRESQL}", HEADER, lines, texts=0)


async def _run(scale: Scale, workers: int, url: str, place: Path) -> Run:
    arguments = (*ORCHESTRATOR.arguments, "--workers", str(workers))
    program = replace(ORCHESTRATOR, arguments=arguments)
    await prepare(url)
    async with (
        stub_seqr() as seqr,
        serving(POSTGRESQL, url, seqr.endpoint, place, CROWDED, program) as served,
    ):
        await served.until_ready(workers)
        warm_up = Limits(_WARM_UP * workers, scale.limits.seconds)
        await create_purchases(served, scale.connections, warm_up)
        run, _ = await create_purchases(served, scale.connections, scale.limits)
        return run
