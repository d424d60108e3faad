"""``make bench``: measure, print the tables, write them to ``var/bench``.

``QUICK=1`` measures less; ``ONLY=suite`` what customers do, ``ONLY=dashboard`` the dashboard's pages.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import aiohttp

from bench import dashboard
from bench.errors import BenchError
from bench.suite import FULL, QUICK, measure
from tests.fixtures.postgres import PostgresUnavailableError

DIRECTORY = Path("var") / "bench"


def main() -> int:
    """Returns the exit status: 0 measured, 1 not."""
    quick, only = os.environ.get("QUICK", "0") not in ("", "0"), os.environ.get("ONLY", "")
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    try:
        if only != "dashboard":
            report = asyncio.run(measure(QUICK if quick else FULL, DIRECTORY, _say))
            print(report.text())
            print(f"Written to {report.write(DIRECTORY)} and .json beside it.\n")
        if only != "suite":
            print(dashboard.report(quick, DIRECTORY.resolve(), _say))
    except (BenchError, PostgresUnavailableError, aiohttp.ClientError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _say(words: str) -> None:
    print(f"… {words}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
