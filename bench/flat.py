"""What an order, a tick of the reconciler, the list and a search cost with a thousand purchases, and with a
million.

``make bench ONLY=flat``; with ``QUICK=1`` it goes up to 20,000.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack
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
TURNS = 5
"""Times that each history has its turn, so that what a machine does meanwhile meets both."""
ROUNDS = 8
"""Lists and searches in a turn, and claims for each turn, which take turns one by one."""
DUE = 40
"""Purchases that a tick finds due: no more are open in the smallest history."""

_ORDERS = Limits(requests=80, seconds=10)
_WARM_UP = Limits(requests=60, seconds=10)


Costs = dict[str, tuple[float, float]]
"""What each thing costs with few purchases and with many, in the unit that its name has."""


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
    """All of it on every database, at the first and the last of the sizes in turn. Raises BenchError."""
    found = []
    for kind in databases:
        async with AsyncExitStack() as stack:
            ends = (sizes[0], sizes[-1])
            urls = [
                await stack.enter_async_context(dataset.database_of(kind, size, home, say)) for size in ends
            ]
            say(f"measuring {ends[0]:,} and {ends[1]:,} purchases on {kind}")
            costs = await _served(kind, urls, home) | await _ticks(urls)
        found += [Held(name, kind, small, large) for name, (small, large) in costs.items()]
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


async def _served(kind: str, urls: Sequence[str], home: Path) -> Costs:
    """What those who call the program wait for, one call after the other, and the memory that it takes."""
    async with AsyncExitStack() as stack:
        seqr = await stack.enter_async_context(stub_seqr())
        shops = [await stack.enter_async_context(shop(kind, url, seqr.endpoint, home)) for url in urls]
        for served in shops:
            await create_purchases(served, 1, _WARM_UP)
        taken: list[dict[str, list[float]]] = [defaultdict(list) for _ in shops]
        for _ in range(TURNS):
            for served, its in zip(shops, taken, strict=True):
                orders, references = await create_purchases(served, 1, _ORDERS)
                if len(references) < ROUNDS:
                    raise BenchError(f"Only {len(references)} orders were taken in {_ORDERS.seconds:g} s.")
                searches = [f"?q={reference}" for reference in references[:ROUNDS]]
                its["createPurchase, p50 ms"] += orders.latencies
                its["list, p50 ms"] += await _asked(served, ["?limit=50"] * ROUNDS)
                its["search by reference, p50 ms"] += await _asked(served, searches)
        small, large = (cost(served.pid).rss_mb for served in shops)
    return _medians(taken) | {_MEMORY: (small, large)}


async def _asked(served: Shop, queries: Sequence[str]) -> list[float]:
    """How long each query's answer took, in ms; the first one is asked once before, to warm up."""
    headers = {"Authorization": f"Bearer {TOKEN}"}

    async def ask(query: str) -> None:
        address = f"{served.address}/api/v1/purchases{query}"
        async with served.http.get(address, headers=headers) as answer:
            if answer.status != 200 or not (await answer.json())["items"]:
                raise BenchError(f"{address} answered {answer.status}, or nothing.")

    await ask(queries[0])
    return [await _timed(ask(query)) for query in queries]


async def _ticks(urls: Sequence[str]) -> Costs:
    """What it takes to claim purchases that are due, each time some that were claimed a minute before or not
    at all; without the calls to SEQR, which are as many whatever the history."""
    async with AsyncExitStack() as stack:
        databases = []
        for url in urls:
            databases.append(open_database(url))
            stack.push_async_callback(databases[-1].close)
        settings, begun = Settings(_env_file=None), now()

        async def claim(database: Database, round_: int) -> None:
            at = begun + timedelta(minutes=round_)
            claimed = await database.write(watch.claim, settings, at, DUE)
            if len(claimed) < DUE:
                raise BenchError(f"Only {len(claimed)} purchases were due.")

        for database in databases:
            await _make_due(database, begun)
            await claim(database, 0)
        taken: list[dict[str, list[float]]] = [defaultdict(list) for _ in urls]
        for round_ in range(1, TURNS * ROUNDS + 1):
            for database, its in zip(databases, taken, strict=True):
                its[f"claim of {DUE} that are due, p50 ms"].append(await _timed(claim(database, round_)))
    return _medians(taken)


async def _make_due(database: Database, at: datetime) -> None:
    """All that are open."""

    def write(connection: Connection) -> None:
        is_open = purchases.c.state == "invoiced"
        connection.execute(update(purchases).where(is_open).values(next_check_at=at, asked_at=at))

    await database.write(write)


async def _timed(work: Awaitable[None]) -> float:
    begun = time.perf_counter()
    await work
    return (time.perf_counter() - begun) * 1000


def _medians(taken: Sequence[Mapping[str, Sequence[float]]]) -> Costs:
    small, large = taken
    return {name: (percentile(small[name], 50), percentile(large[name], 50)) for name in small}
