"""The dashboard at a thousand purchases and at a million: how soon its pages answer.

``make bench ONLY=dashboard``; with ``QUICK=1`` it goes up to 20,000.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench import dataset
from bench.cases import Case, cases
from bench.databases import POSTGRESQL, SQLITE
from bench.errors import BenchError
from bench.load import percentile
from bench.report import Say, Table, number
from bench.seqr import stub_seqr
from bench.shop import shop
from bench.viewers import sign_in

SIZES = (1_000, 1_000_000)
QUICK_SIZES = (1_000, 20_000)
ROUNDS = 12
"""So often each address is asked for, after once to warm up."""

_ROW = re.compile(r'<tr id="p-([^"]+)"')


@dataclass(frozen=True, slots=True)
class Figures:
    """One kind of page on one database with so many purchases: milliseconds."""

    name: str
    database: str
    size: int
    p50: float
    p95: float
    target: float

    @property
    def is_met(self) -> bool:
        return self.p95 <= self.target


@dataclass(frozen=True, slots=True)
class Held:
    """One kind of page at the smallest size against the largest."""

    small: Figures
    large: Figures

    def cells(self) -> list[str]:
        """As text, in the order of the header."""
        first, last = self.small, self.large
        taken = (first.p50, first.p95, last.p50, last.p95)
        return [
            *(last.name, last.database),
            *(number(ms, 0) for ms in taken),
            *(number(last.p95 / first.p95, 1), number(last.target, 0)),
            "met" if last.is_met else "MISSED",
        ]


async def measure(
    sizes: Sequence[int], home: Path, say: Say, databases: Sequence[str] = (SQLITE, POSTGRESQL)
) -> list[Figures]:
    """Ask for every page of every size on every database. Raises BenchError for an answer other than 200."""
    found = []
    for database in databases:
        for size in sizes:
            async with dataset.database_of(database, size, home, say) as url:
                say(f"asking for pages of {size:,} purchases on {database}")
                found += [
                    _figures(case, database, size, taken) async for case, taken in _taken(database, url, home)
                ]
    return found


def table(figures: Sequence[Figures]) -> Table:
    """A line for each page and database: the smallest size against the largest."""
    small, large = min(f.size for f in figures), max(f.size for f in figures)
    by_key = {(f.name, f.database, f.size): f for f in figures}
    header = (
        *("page", "database"),
        *(f"p50 at {small:,}", "p95 ms", f"p50 at {large:,}", "p95 ms", "ratio", "target", "verdict"),
    )
    lines = [Held(by_key[last.name, last.database, small], last) for last in figures if last.size == large]
    return Table("How soon the dashboard's pages answer", header, lines)


def _figures(case: Case, database: str, size: int, taken: Sequence[float]) -> Figures:
    return Figures(case.name, database, size, percentile(taken, 50), percentile(taken, 95), case.target)


async def _taken(database: str, url: str, home: Path) -> AsyncIterator[tuple[Case, list[float]]]:
    """Each kind of page, and how long its answers took (ms)."""
    async with stub_seqr() as seqr, shop(database, url, seqr.endpoint, home) as served:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            await sign_in(http, served.address)
            newest = await _first_row(http, f"{served.address}/purchases")
            dear = await _first_row(http, f"{served.address}/purchases?min=150&sort=amount-low")
            for case in cases(newest, dear):
                addresses = [served.address + path for path in case.paths]
                for address in addresses:
                    await _ask(http, address)
                yield case, [await _ask(http, address) for _ in range(ROUNDS) for address in addresses]


async def _ask(http: aiohttp.ClientSession, address: str) -> float:
    begun = time.perf_counter()
    async with http.get(address) as answer:
        await answer.read()
        if answer.status != 200:
            raise BenchError(f"{answer.url.path_qs} answered {answer.status}.")
    return (time.perf_counter() - begun) * 1000


async def _first_row(http: aiohttp.ClientSession, address: str) -> str:
    async with http.get(address) as answer:
        found = _ROW.search(await answer.text())
    if found is None:
        raise BenchError(f"{address} lists nothing.")
    return found[1]


async def report(quick: bool, home: Path, say: Say) -> tuple[Table, dict[str, str]]:
    """The dashboard as a part of ``make bench``."""
    return table(await measure(QUICK_SIZES if quick else SIZES, home, say)), {}
