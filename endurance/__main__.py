"""``make endure``: pay thousands of purchases in each way of notifying, on each database, and audit them.

``COUNT`` are paid while ``OPEN`` are open, ``RATE`` a second at most; ``MODE`` (all, none, late, repeated)
and ``DATABASE`` (sqlite, postgresql) choose one each. The figures go to ``var/endurance``.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from bench.databases import POSTGRESQL, SQLITE
from bench.errors import BenchError
from endurance.customers import MODES, Plan
from endurance.record import Outcome, table, write
from endurance.run import endure
from tests.fixtures.postgres import PostgresUnavailableError

DIRECTORY = Path("var") / "endurance"

_DATABASES = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def main() -> int:
    """Returns the exit status: 0 all is right, 1 something is not, and a sentence says what."""
    given = _arguments()
    plan = Plan(given.count, given.open, given.rate)
    modes = MODES if given.mode is None else [given.mode]
    databases = _DATABASES.values() if given.database is None else [_DATABASES[given.database]]
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    for database in databases:
        for mode in modes:
            try:
                outcomes.append(asyncio.run(endure(mode, MODES[mode], database, plan, DIRECTORY, _say)))
            except (BenchError, PostgresUnavailableError, aiohttp.ClientError) as error:
                print(f"endure: {mode} on {database}: {error}", file=sys.stderr)
                return 1
            write(outcomes, DIRECTORY)
            _say(table(outcomes[-1:]))
    print(table(outcomes))
    print(f"After payment and after notification: median, p99, longest. All of it is in {DIRECTORY}.")
    return judged(outcomes)


def judged(outcomes: Sequence[Outcome]) -> int:
    """Say what is wrong, a sentence each; returns the exit status."""
    for outcome in outcomes:
        for sentence in (*outcome.complaints, *outcome.verdict.late):
            print(f"endure: {outcome.mode} on {outcome.database}: {sentence}", file=sys.stderr)
    return 0 if all(outcome.is_right for outcome in outcomes) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m endurance", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="so many are paid (default: %(default)s)")
    parser.add_argument("--open", type=int, default=500, help="so many are open (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=25, help="paid in a second (default: %(default)s)")
    parser.add_argument("--mode", choices=list(MODES), help="how SEQR notifies (default: each way)")
    parser.add_argument("--database", choices=list(_DATABASES), help="on which (default: each)")
    return parser.parse_args()


def _say(words: str) -> None:
    print(f"… {words}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
