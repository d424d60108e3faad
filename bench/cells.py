"""One cell of the suite: a scenario on a database at so many connections, each program in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.load import Limits, Run, percentile
from bench.report import number
from bench.scenarios import create_purchases, settle
from bench.seqr import StubSeqr
from bench.shop import Shop

CREATED, ASKED, STOCKED = SCENARIOS = ("createPurchase", "notification to asked", "notification to stocked")
HEADER = (
    *("scenario", "database", "program", "conn", "count", "per s", "p50 ms", "p99 ms"),
    *("CPU ms", "RSS MB", "of floor", "CPU × floor"),
)
TEXTS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; None where a figure has no meaning.

    ``ratio`` is its ``per_second`` over that of the floor on the same database, at the same connections, in
    the same run; ``cpu_ratio`` its ``cpu_ms`` over that of the floor.
    """

    scenario: str
    database: str
    program: str
    connections: int
    count: int
    p50_ms: float
    p99_ms: float
    per_second: float | None = None
    cpu_ms: float | None = None
    rss_mb: float | None = None
    ratio: float | None = None
    cpu_ratio: float | None = None

    @classmethod
    def of_run(cls, scenario: str, shop: Shop, connections: int, run: Run, floor: Run) -> Row:
        """The row of a closed loop, held against ``floor``."""
        return cls(
            scenario,
            shop.database,
            shop.program.name,
            connections,
            *_of(run.latencies),
            run.per_second,
            run.cpu_ms,
            run.rss_mb,
            run.per_second / floor.per_second,
            run.cpu_ms / floor.cpu_ms,
        )

    @classmethod
    def of_latencies(cls, scenario: str, shop: Shop, connections: int, latencies: Sequence[float]) -> Row:
        """The row of a moment within a closed loop: it has latencies (ms) only."""
        return cls(scenario, shop.database, shop.program.name, connections, *_of(latencies))

    def cells(self) -> list[str]:
        """As text, in the order of the header."""
        return [
            self.scenario,
            self.database,
            self.program,
            str(self.connections),
            str(self.count),
            number(self.per_second, 0),
            number(self.p50_ms, 1),
            number(self.p99_ms, 1),
            number(self.cpu_ms, 2),
            number(self.rss_mb, 0),
            number(self.ratio, 2),
            number(self.cpu_ratio, 1),
        ]


def _of(latencies: Sequence[float]) -> tuple[int, float, float]:
    return len(latencies), percentile(latencies, 50), percentile(latencies, 99)


@dataclass(frozen=True, slots=True)
class Found:
    """What one program did in a cell: what came of the orders and, where it goes on after them, of the
    notifications, and the latencies (ms) from a notification until SEQR was asked."""

    shop: Shop
    created: Run
    stocked: Run | None = None
    until_asked: Sequence[float] = ()

    def joined(self, later: Found) -> Found:
        """This round and a later one as one."""
        created = self.created.joined(later.created)
        if self.stocked is None or later.stocked is None:
            return Found(self.shop, created)
        stocked = self.stocked.joined(later.stocked)
        return Found(self.shop, created, stocked, [*self.until_asked, *later.until_asked])


async def measure_cell(
    floor: Shop, others: Sequence[Shop], seqr: StubSeqr, connections: int, limits: Limits
) -> list[Row]:
    """In two rounds, in each of which all have their turn: so a machine that grows slower does so for all,
    and no purchase waits to be paid for so long that it is asked about, which would be measured too."""
    first, second = [
        [await measure_program(served, seqr, connections, limits.halved()) for served in (floor, *others)]
        for _ in range(2)
    ]
    found = [early.joined(late) for early, late in zip(first, second, strict=True)]
    return [row for each in found for row in _rows(each, found[0], connections)]


async def measure_program(served: Shop, seqr: StubSeqr, connections: int, limits: Limits) -> Found:
    """Orders until the limits; then all of them are paid, so that none is left for the next cell."""
    created, references = await create_purchases(served, connections, limits)
    if not served.program.notified:
        return Found(served, created)
    stocked, until_asked = await settle(served, seqr, references, connections)
    return Found(served, created, stocked, until_asked)


def _rows(found: Found, floor: Found, connections: int) -> Iterator[Row]:
    yield Row.of_run(CREATED, found.shop, connections, found.created, floor.created)
    if found.stocked is not None and floor.stocked is not None:
        yield Row.of_latencies(ASKED, found.shop, connections, found.until_asked)
        yield Row.of_run(STOCKED, found.shop, connections, found.stocked, floor.stocked)
