"""``make bench``: measure, print the tables, write them to ``var/bench``.

``QUICK=1`` measures less, and of the parts only ``suite`` and ``start``; ``ONLY=...`` measures one part.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from bench import dashboard, flat, live, reconciler, start, suite, workers
from bench.databases import POSTGRESQL, SQLITE
from bench.errors import BenchError
from bench.loop import run
from bench.machine import load, machine
from bench.report import Report, Say, Table
from tests.fixtures.postgres import PostgresUnavailableError

DIRECTORY = Path("var") / "bench"

Part = Callable[[bool, Path, Say], Awaitable[tuple[Table, dict[str, str]]]]
"""Measures, less when it is to be quick; returns its table, and facts to stand above all tables."""
PARTS: Mapping[str, Part] = {
    "suite": suite.report,
    "start": start.report,
    "workers": workers.report,
    "reconciler": reconciler.report,
    "viewers": live.report,
    "dashboard": dashboard.report,
    "flat": flat.report,
}
QUICK = ("suite", "start")
"""The others take long even when they measure less."""


def main() -> int:
    """Returns the exit status: 0 measured, 1 not all of it, 2 asked for what is not there."""
    quick, only = os.environ.get("QUICK", "0") not in ("", "0"), os.environ.get("ONLY", "")
    if only and only not in PARTS:
        print(f"bench: ONLY is one of {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    chosen = [only] if only else list(QUICK if quick else PARTS)
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    report, is_whole = run(_measure(chosen, quick))
    print(report.text())
    print(f"Written to {report.write(DIRECTORY)} and .json beside it.")
    return 0 if is_whole else 1


async def _measure(chosen: list[str], quick: bool) -> tuple[Report, bool]:
    """The chosen parts; one that fails is told about, and does not take the others with it."""
    facts = machine({SQLITE: DIRECTORY, POSTGRESQL: Path(tempfile.gettempdir())})
    tables = []
    for name in chosen:
        try:
            table, more = await PARTS[name](quick, DIRECTORY.resolve(), _say)
        except (BenchError, PostgresUnavailableError, aiohttp.ClientError) as error:
            _say(f"{name}: {error}")
        else:
            tables.append(table)
            facts |= more
    whole = Report(datetime.now(UTC), facts | {"load after": load()}, tables)
    return whole, len(tables) == len(chosen)


def _say(words: str) -> None:
    print(f"… {words}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
