"""``make bench``: measure, print the table, write it to ``var/bench``. ``QUICK=1`` measures a fifth."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import aiohttp

from bench.errors import BenchError
from bench.suite import FULL, QUICK, measure
from tests.fixtures.postgres import PostgresUnavailableError

DIRECTORY = Path("var") / "bench"


def main() -> int:
    """Returns the exit status: 0 measured, 1 not."""
    scale = QUICK if os.environ.get("QUICK", "0") not in ("", "0") else FULL
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    try:
        report = asyncio.run(measure(scale, DIRECTORY, lambda words: print(f"… {words}", file=sys.stderr)))
    except (BenchError, PostgresUnavailableError, aiohttp.ClientError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(report.text())
    print(f"Written to {report.write(DIRECTORY)} and .json beside it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
