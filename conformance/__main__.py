"""``make conform``: hold the HTTP interfaces against their description, on each database.

``SECONDS`` (60) is how long each is asked, ``SEED`` what is asked: the time of day unless it is given.
``DATABASE`` (sqlite, postgresql) chooses one. The reports go to ``var/conformance``.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

import aiohttp

from bench.databases import POSTGRESQL, SQLITE
from bench.errors import BenchError
from conformance.interview import Plan, interview
from conformance.record import Outcome, table
from tests.fixtures.postgres import PostgresUnavailableError

DIRECTORY = Path("var") / "conformance"

_DATABASES = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def main() -> int:
    """Returns the exit status: 0 they are as described, 1 they are not, and a sentence says what is wrong."""
    given = _arguments()
    plan = Plan(given.seed, seconds=given.seconds)
    databases = _DATABASES.values() if given.database is None else [_DATABASES[given.database]]
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    for database in databases:
        try:
            outcomes.append(asyncio.run(interview(database, plan, DIRECTORY.resolve())))
        except (BenchError, PostgresUnavailableError, aiohttp.ClientError) as error:
            print(f"conform: {database}: {error}", file=sys.stderr)
            return 1
    print(table(outcomes))
    print(f"All of it is in {DIRECTORY}.")
    return judged(outcomes)


def judged(outcomes: list[Outcome]) -> int:
    """Say what is wrong, a sentence each; returns the exit status."""
    for outcome in outcomes:
        for sentence in outcome.complaints:
            print(f"conform: {outcome.database}: {sentence}", file=sys.stderr)
    return 1 if any(outcome.complaints for outcome in outcomes) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument(
        "--seconds", type=_seconds, default=60, help="of each database (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=int(time.time()), help="(default: the time of day)")
    parser.add_argument("--database", choices=list(_DATABASES), help="which (default: each)")
    return parser.parse_args()


def _seconds(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("should be a whole number from 1 on")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
