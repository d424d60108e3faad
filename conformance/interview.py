"""One run of schemathesis, in a process of its own, against a shop of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any

from bench.databases import empty_database, run_directory
from bench.errors import BenchError
from bench.process import end
from bench.seqr import ROOT
from bench.shop import TOKEN
from conformance.record import Outcome
from conformance.stage import Stage, stage
from orchestrator.rest import openapi

_SETTINGS = ROOT / "conformance" / "schemathesis.toml"
_PROGRAM = str(Path(sys.executable).with_name("schemathesis"))


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to ask: for ``seconds``, or so many ``examples`` of each call."""

    seed: int
    seconds: int | None = None
    examples: int | None = None

    def options(self) -> list[str]:
        """For schemathesis."""
        given = {"--max-time": self.seconds, "--max-examples": self.examples}
        limits = [word for name, value in given.items() if value for word in (name, str(value))]
        return [*limits, "--seed", str(self.seed)]


async def interview(database: str, plan: Plan, home: Path) -> Outcome:
    """Ask a new shop on ``database``. Files go below ``home``: what schemathesis says stays there.

    Raises BenchError.
    """
    stem = f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}-{database.lower()}"
    with run_directory(home) as place, empty_database(database, place) as url:
        async with stage(database, url, place, plan.seed) as opened:
            report = home / f"{stem}.json"
            reports = {"json": report, "junit": home / f"{stem}.xml"}
            await _ask(opened, [*plan.options(), *_told(reports)], place)
            return Outcome(
                database=database,
                report=_read(report),
                customers=dict(opened.customers.did),
                errors=tuple(opened.shop.errors),
            )


def _told(reports: Mapping[str, Path]) -> list[str]:
    paths = [word for kind, path in reports.items() for word in (f"--report-{kind}-path", str(path))]
    return ["--report", ",".join(reports), *paths]


async def _ask(opened: Stage, options: Sequence[str], place: Path) -> None:
    """Run it; it says on standard output what it finds."""
    known = {"TOKEN": TOKEN, "KEY": opened.key, "PURCHASES": json.dumps(opened.open_ids)}
    # Where it runs it looks for its settings.
    (place / _SETTINGS.name).write_text(Template(_SETTINGS.read_text()).substitute(known))
    process = await asyncio.create_subprocess_exec(
        *(_PROGRAM, "run", opened.shop.address + openapi.PATH, *options),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=place,
    )
    try:
        await process.wait()
    finally:
        await end(process)


def _read(report: Path) -> dict[str, Any]:
    """Raises BenchError."""
    try:
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BenchError("schemathesis asked nothing; it says above why.") from None
    return found
