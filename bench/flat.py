"""What an order, a tick of the reconciler, the list and a search cost with a thousand purchases, and with a
million.

``make bench ONLY=flat``; with ``QUICK=1`` it goes up to 20,000.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, update

from bench import dataset
from bench.databases import BOTH
from bench.errors import BenchError
from bench.load import Limits, percentile
from bench.process import cost
from bench.report import Say, Table, number
from bench.scenarios import create_purchases
from bench.seqr import stub_seqr
from bench.shop import TOKEN, Shop, shop
from orchestrator import watch
from orchestrator.database import Database, open_database
from orchestrator.identity import now
from orchestrator.settings import Settings
from orchestrator.tables import purchases

SIZES = (1_000, 1_000_000)
QUICK_SIZES = (1_000, 20_000)
TARGET = 1.3
"""So many times what it costs at the smallest size it may cost at the largest."""
MEMORY = 150.0
"""MB that the process may take, whatever the history."""
ROUNDS = 40
DUE = 40
"""Purchases that a tick finds due: no more are open in the smallest history."""

_ORDERS = Limits(requests=400, seconds=20)
_WARM_UP = Limits(requests=60, seconds=10)


@dataclass(frozen=True, slots=True)
class Held:
    """What one thing costs on one database with each number of purchases, in the unit that its name has."""

    name: str
    database: str
    small: float
    large: float

    @property
    def is_met(self) -> bool:
        return self.large < MEMORY if self.name == _MEMORY else self.large <= TARGET * self.small

    def cells(self) -> list[str]:
        """As text, in the order of the header."""
        places = 0 if self.name == _MEMORY else 1
        costs = (number(self.small, places), number(self.large, places), number(self.large / self.small, 2))
        return [self.name, self.database, *costs, "met" if self.is_met else "MISSED"]


async def measure(sizes: Sequence[int], home: Path, say: Say, databases: Sequence[str] = BOTH) -> list[Held]:
    """All of it on every database, at the first and the last of the sizes. Raises BenchError."""
    found = []
    for kind in databases:
        by_size = []
        for size in (sizes[0], sizes[-1]):
            async with dataset.database_of(kind, size, home, say) as url:
                say(f"measuring {size:,} purchases on {kind}")
                by_size.append(await _served(kind, url, home) | await _tick(url))
        small, large = by_size
        found += [Held(name, kind, small[name], large[name]) for name in small]
    return found


def table(costs: Sequence[Held], sizes: Sequence[int]) -> Table:
    """A line for each thing and database."""
    costs_at = (f"at {size:,}" for size in (sizes[0], sizes[-1]))
    header = ("what", "database", *costs_at, "ratio", "verdict")
    return Table("What a long history costs", header, costs)


async def report(quick: bool, home: Path, say: Say) -> tuple[Table, dict[str, str]]:
    """The history as a part of ``make bench``."""
    sizes = QUICK_SIZES if quick else SIZES
    return table(await measure(sizes, home, say), sizes), {}


_MEMORY = "memory, MB"


async def _served(kind: str, url: str, home: Path) -> dict[str, float]:
    """What those who call the program wait for, one call after the other."""
    async with stub_seqr() as seqr, shop(kind, url, seqr.endpoint, home) as served:
        await create_purchases(served, 1, _WARM_UP)
        orders, references = await create_purchases(served, 1, _ORDERS)
        if len(references) < ROUNDS:
            raise BenchError(f"Only {len(references)} orders were taken in {_ORDERS.seconds:g} s.")
        searches = [f"?q={reference}" for reference in references[:ROUNDS]]
        return {
            "createPurchase, p50 ms": percentile(orders.latencies, 50),
            "list, p50 ms": await _asked(served, ["?limit=50"] * ROUNDS),
            "search by reference, p50 ms": await _asked(served, searches),
            _MEMORY: cost(served.pid).rss_mb,
        }


async def _asked(served: Shop, queries: Sequence[str]) -> float:
    """Of each query's answer how long it took: the median in ms."""
    headers = {"Authorization": f"Bearer {TOKEN}"}

    async def ask(query: str) -> None:
        address = f"{served.address}/api/v1/purchases{query}"
        async with served.http.get(address, headers=headers) as answer:
            if answer.status != 200 or not (await answer.json())["items"]:
                raise BenchError(f"{address} answered {answer.status}, or nothing.")

    for query in queries[:3]:
        await ask(query)
    return await _median(lambda round_: ask(queries[round_]))


async def _tick(url: str) -> dict[str, float]:
    """What it takes to claim purchases that are due, each time some that were claimed a minute before or not
    at all; without the calls to SEQR, which are as many whatever the history."""
    database, settings = open_database(url), Settings(_env_file=None)
    begun = now()
    try:
        await _make_due(database, begun)

        async def claim(round_: int) -> None:
            at = begun + timedelta(minutes=round_ + 1)
            claimed = await database.write(watch.claim, settings, at, DUE)
            if len(claimed) < DUE:
                raise BenchError(f"Only {len(claimed)} purchases were due.")

        await claim(-1)
        return {f"claim of {DUE} that are due, p50 ms": await _median(claim)}
    finally:
        await database.close()


async def _make_due(database: Database, at: datetime) -> None:
    """All that are open."""

    def write(connection: Connection) -> None:
        is_open = purchases.c.state == "invoiced"
        connection.execute(update(purchases).where(is_open).values(next_check_at=at, asked_at=at))

    await database.write(write)


async def _median(work: Callable[[int], Awaitable[None]]) -> float:
    taken = []
    for round_ in range(ROUNDS):
        begun = time.perf_counter()
        await work(round_)
        taken.append((time.perf_counter() - begun) * 1000)
    return percentile(taken, 50)
