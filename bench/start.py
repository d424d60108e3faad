"""From the command to the first ready answer, and what the program uses while there is nothing to do."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from bench.databases import BOTH, empty_database, run_directory
from bench.load import percentile
from bench.process import cost, share
from bench.report import Say, Table, number
from bench.seqr import StubSeqr, stub_seqr
from bench.shop import prepare, serving

HEADER = ("database", "starts", "ready after s", "slowest s", "CPU s", "RSS MB", "idle, % of a core")
_CALM = 3.0
"""Seconds after a start until it is over."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How often it is started, and how long it then has nothing to do."""

    starts: int
    idle_seconds: float
    databases: tuple[str, ...] = BOTH


FULL = Scale(5, 20)
QUICK = Scale(3, 5)


@dataclass(frozen=True, slots=True)
class Started:
    """Starts on one database: seconds until it was ready, median and slowest; the median CPU until then;
    ``idle`` is how much of a core it uses afterwards."""

    database: str
    starts: int
    seconds: float
    slowest: float
    cpu_seconds: float
    rss_mb: float
    idle: float

    def cells(self) -> list[str]:
        """As text, in the order of the header."""
        return [
            self.database,
            str(self.starts),
            number(self.seconds, 2),
            number(self.slowest, 2),
            number(self.cpu_seconds, 2),
            number(self.rss_mb, 0),
            number(self.idle * 100, 2),
        ]


async def report(quick: bool, home: Path, say: Say) -> tuple[Table, dict[str, str]]:
    """The start as a part of ``make bench``."""
    return await measure(QUICK if quick else FULL, home, say), {}


async def measure(scale: Scale, home: Path, say: Say) -> Table:
    """Start the program again and again on a database that is migrated and has no purchase."""
    lines = []
    async with stub_seqr() as seqr:
        for kind in scale.databases:
            say(f"starting {scale.starts} times on {kind}")
            with run_directory(home) as place, empty_database(kind, place) as url:
                await prepare(url)
                lines.append(await _measure(scale, kind, url, seqr, place))
    return Table("The start, and rest", HEADER, lines, texts=1)


async def _measure(scale: Scale, kind: str, url: str, seqr: StubSeqr, place: Path) -> Started:
    starts = [await _start(kind, url, seqr, place) for _ in range(scale.starts)]
    taken, used = zip(*starts, strict=True)
    async with serving(kind, url, seqr.endpoint, place) as served:
        await served.until_ready()
        await asyncio.sleep(_CALM)
        idle, rss_mb = await share(served.pid, scale.idle_seconds), cost(served.pid).rss_mb
    return Started(kind, scale.starts, percentile(taken, 50), max(taken), percentile(used, 50), rss_mb, idle)


async def _start(kind: str, url: str, seqr: StubSeqr, place: Path) -> tuple[float, float]:
    """Start it and stop it; returns the seconds until it was ready, and the CPU that it used until then."""
    begun = time.monotonic()
    async with serving(kind, url, seqr.endpoint, place) as served:
        await served.until_ready()
        return time.monotonic() - begun, cost(served.pid).cpu_ms / 1000
