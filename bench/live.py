"""A busy day with people looking: how soon each sees a change, and what their looking costs the customers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.databases import BOTH, empty_database, run_directory
from bench.load import Limits, percentile
from bench.process import cost
from bench.report import Say, Table, number
from bench.scenarios import create_purchases, settle, within_limit
from bench.seqr import StubSeqr, stub_seqr
from bench.shop import CROWDED, Shop, purchase_behind, shop
from bench.viewers import Viewers, viewers

TRANSITIONS = 100
"""Changes of a state in a second; a purchase that goes all the way has four."""
HEADER = (
    *("database", "viewers", "changes per s", "page p50 ms", "page p95 ms", "unseen", "streams lost"),
    *("createPurchase p50 ms", "p99 ms", "CPU % of a core", "RSS MB"),
)
_CROWD = CROWDED | {"ORCHESTRATOR_CONNECTIONS_PER_ADDRESS": "1500"}
"""All viewers come from one address, too."""
_PER_PURCHASE = 4
_LATE = 5.0
"""Seconds after the last change until what nobody has seen counts as unseen."""
_WARM_UP, _WARM_UP_CONNECTIONS = Limits(40, 10), 8


@dataclass(frozen=True, slots=True)
class Scale:
    """How many look, and for how long customers buy."""

    viewers: tuple[int, ...]
    seconds: float
    databases: tuple[str, ...] = BOTH
    transitions: int = TRANSITIONS


FULL = Scale((0, 1, 50, 200, 500), 30)
QUICK = Scale((0, 1, 200), 4)


@dataclass(frozen=True, slots=True)
class Looked:
    """So many viewers. ``page_`` is from the commit until a page shows it, of all changes that were seen."""

    database: str
    viewers: int
    per_second: float
    page_p50_ms: float | None
    page_p95_ms: float | None
    unseen: int
    lost: int
    created_p50_ms: float
    created_p99_ms: float
    share: float
    rss_mb: float

    def cells(self) -> list[str]:
        """As text, in the order of the header."""
        return [
            *(self.database, str(self.viewers), number(self.per_second, 0)),
            *(number(self.page_p50_ms, 0), number(self.page_p95_ms, 0)),
            *(number(self.unseen, 0), number(self.lost, 0)),
            *(number(self.created_p50_ms, 1), number(self.created_p99_ms, 1)),
            *(number(self.share * 100, 0), number(self.rss_mb, 0)),
        ]


@dataclass
class Trade:
    """Customers who come at a steady pace, whether those before them are served or not. ``stocked`` is when
    each purchase was, in seconds of the wall clock."""

    shop: Shop
    seqr: StubSeqr
    created_ms: list[float] = field(default_factory=list)
    stocked: dict[str, float] = field(default_factory=dict)
    _addresses: dict[str, str] = field(default_factory=dict)

    async def run(self, per_second: float, seconds: float) -> None:
        """Until all who came are served. Raises the first error."""
        begun = time.monotonic()
        try:
            async with asyncio.TaskGroup() as customers:
                for which in range(round(per_second * seconds)):
                    await asyncio.sleep(begun + which / per_second - time.monotonic())
                    customers.create_task(self._buy())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _buy(self) -> None:
        begun = time.perf_counter()
        reference = await self.shop.create_purchase()
        self.created_ms.append((time.perf_counter() - begun) * 1000)
        address = await self._address(reference)
        expected = self.shop.expect(address)
        await self.seqr.pay(reference)
        await self.shop.notify(address)
        self.stocked[purchase_behind(address)] = await within_limit(expected, reference, self.shop)

    async def _address(self, reference: str) -> str:
        if reference not in self._addresses:
            self._addresses |= await self.seqr.notification_addresses()
        return self._addresses.pop(reference)


async def report(quick: bool, home: Path, say: Say) -> tuple[Table, dict[str, str]]:
    """Viewers as a part of ``make bench``."""
    return await measure(QUICK if quick else FULL, home, say), {}


async def measure(scale: Scale, home: Path, say: Say) -> Table:
    """Each number of viewers on each database, one after the other. Raises BenchError."""
    lines = []
    for kind in scale.databases:
        async with stub_seqr() as seqr:
            with run_directory(home) as place, empty_database(kind, place) as url:
                async with shop(kind, url, seqr.endpoint, place, _CROWD) as served:
                    _, references = await create_purchases(served, _WARM_UP_CONNECTIONS, _WARM_UP)
                    await settle(served, seqr, references, _WARM_UP_CONNECTIONS)
                    for many in scale.viewers:
                        say(f"{many} viewers on {kind}")
                        lines.append(await _measure(scale, many, served, seqr))
    return Table(f"Live pages, with {scale.transitions} changes a second", HEADER, lines, texts=1)


async def _measure(scale: Scale, many: int, served: Shop, seqr: StubSeqr) -> Looked:
    trade = Trade(served, seqr)
    async with viewers(served, many) as looking:
        before, begun = cost(served.pid), time.monotonic()
        await trade.run(scale.transitions / _PER_PURCHASE, scale.seconds)
        took, after = time.monotonic() - begun, cost(served.pid)
        latencies, unseen = await _latencies(looking, trade.stocked)
    return Looked(
        database=served.database,
        viewers=many,
        per_second=len(trade.stocked) * _PER_PURCHASE / took,
        page_p50_ms=_percentile(latencies, 50),
        page_p95_ms=_percentile(latencies, 95),
        unseen=unseen,
        lost=looking.lost,
        created_p50_ms=percentile(trade.created_ms, 50),
        created_p99_ms=percentile(trade.created_ms, 99),
        share=(after.cpu_ms - before.cpu_ms) / took / 1000,
        rss_mb=after.rss_mb,
    )


async def _latencies(looking: Viewers, stocked: dict[str, float]) -> tuple[list[float], int]:
    """From each commit to each reader's page (ms), and how many such changes were not seen."""
    deadline = time.monotonic() + _LATE
    while True:
        found = [
            (moment - at) * 1000
            for purchase_id, at in stocked.items()
            for moment in looking.first_after(purchase_id, at)
        ]
        unseen = len(stocked) * len(looking.books) - len(found)
        if not unseen or time.monotonic() > deadline:
            return found, unseen
        await asyncio.sleep(0.05)


def _percentile(latencies: Sequence[float], percent: float) -> float | None:
    return percentile(latencies, percent) if latencies else None
