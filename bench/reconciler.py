"""Many open invoices: how often each is asked about, and what that costs.

SEQR takes a payment back when nobody asks within 20 seconds, so the longest wait of any one invoice is what
counts, not how many are asked about in a second.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from bench import dataset, population
from bench.databases import BOTH, databases, run_directory
from bench.process import cost
from bench.report import Say, Table, number
from bench.seqr import StubSeqr, stub_seqr
from bench.shop import serving

HEADER = ("database", "open", "seconds", "asked per s", "longest wait s", "CPU % of a core", "RSS MB")
INTERVAL = 10.0
"""Seconds: what the program is told, and the longest that the contract allows between two questions."""
_AGE = timedelta(minutes=4)
"""Of the invoices: no longer fresh, and far from being over."""
_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Scale:
    """How many invoices are open, and for how long it is looked at what is done about them."""

    sizes: tuple[int, ...]
    seconds: float
    databases: tuple[str, ...] = BOTH
    calm: float = INTERVAL
    """Seconds after the start until then: what became due while it started is another matter."""


FULL = Scale((1_000, 10_000, 20_000, 50_000), 30)
QUICK = Scale((1_000, 10_000), 12)


@dataclass(frozen=True, slots=True)
class Asked:
    """So many open invoices. ``longest`` is how long one of them was not asked about (s), ``share`` how much
    of a core the program used."""

    database: str
    open: int
    seconds: float
    per_second: float
    longest: float
    share: float
    rss_mb: float

    def cells(self) -> list[str]:
        """As text, in the order of the header."""
        return [
            self.database,
            f"{self.open:,}",
            number(self.seconds, 0),
            number(self.per_second, 0),
            number(self.longest, 1),
            number(self.share * 100, 1),
            number(self.rss_mb, 0),
        ]


async def report(quick: bool, home: Path, say: Say) -> tuple[Table, dict[str, str]]:
    """The reconciler as a part of ``make bench``."""
    return await measure(QUICK if quick else FULL, home, say), {}


async def measure(scale: Scale, home: Path, say: Say) -> Table:
    """Each size on each database, by a program of its own. Raises BenchError."""
    lines = []
    with run_directory(home) as place:
        for kind in scale.databases:
            with databases(kind, place) as make:
                for size in scale.sizes:
                    say(f"{size:,} open invoices on {kind}")
                    lines.append(await _measure(scale, kind, make(f"open{size}"), size, place))
    title = f"The reconciler, told to ask about each open invoice every {INTERVAL:g} s"
    return Table(title, HEADER, lines, texts=1)


async def _measure(scale: Scale, kind: str, url: str, size: int, place: Path) -> Asked:
    references: list[str] = []
    await dataset.fill(url, _open(size, references))
    async with stub_seqr() as seqr, serving(kind, url, seqr.endpoint, place) as served:
        await served.until_ready()
        await asyncio.sleep(scale.calm)
        return await _watched(seqr, references, kind, served.pid, scale.seconds)


async def _watched(seqr: StubSeqr, references: list[str], kind: str, pid: int, seconds: float) -> Asked:
    await seqr.watch(references)
    before, began = cost(pid), asyncio.get_running_loop().time()
    await asyncio.sleep(seconds)
    seen, after = await seqr.watched(), cost(pid)
    took = asyncio.get_running_loop().time() - began
    share = (after.cpu_ms - before.cpu_ms) / took / 1000
    return Asked(kind, len(references), took, seen.count / took, seen.longest, share, after.rss_mb)


def _open(size: int, references: list[str]) -> Iterator[population.Rows]:
    """Purchases with an open invoice each, due at moments of their own; ``references`` takes the invoices."""
    chance = random.Random(3)
    made_at, now, ids = datetime.now(UTC) - _AGE, datetime.now(UTC), count(1)
    catalogue = population.products(made_at)
    yield {"products": catalogue}
    for first in range(0, size, _BATCH):
        numbers = range(first, min(first + _BATCH, size))
        chosen = [population.Chosen(made_at, "invoiced", each) for each in numbers]
        rows = population.written(chosen, chance, catalogue, ids)
        for purchase in rows["purchases"]:
            purchase["next_check_at"] = now + timedelta(seconds=INTERVAL * chance.random())
            references.append(purchase["invoice_reference"])
        for attempt in rows["invoice_attempts"]:
            attempt["status"] = "ISSUED"  # it was asked about before
        yield rows
