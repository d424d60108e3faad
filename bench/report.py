"""The table of figures: for people as text, for programs as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.load import Run, percentile

FLOOR = "floor"
_HEADER = (
    "scenario",
    "stack",
    "conn",
    "count",
    "per s",
    "p50 ms",
    "p99 ms",
    "CPU ms",
    "RSS MB",
    "of floor",
    "CPU × floor",
)
_TEXT_COLUMNS = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; None where a figure has no meaning.

    ``ratio`` is its ``per_second`` over that of the floor in the same run, ``cpu_ratio`` its ``cpu_ms`` over
    that of the floor. The floor runs in the process of the benchmark, so its memory says nothing.
    """

    scenario: str
    stack: str
    connections: int
    count: int
    p50_ms: float
    p99_ms: float
    per_second: float | None = None
    cpu_ms: float | None = None
    rss_mb: float | None = None
    ratio: float | None = None
    cpu_ratio: float | None = None

    @classmethod
    def of_run(cls, scenario: str, stack: str, connections: int, run: Run, floor: Run) -> Row:
        """The row of a closed loop, held against ``floor``."""
        return cls(
            scenario,
            stack,
            connections,
            len(run.latencies),
            percentile(run.latencies, 50),
            percentile(run.latencies, 99),
            run.per_second,
            run.cpu_ms,
            None if stack == FLOOR else run.rss_mb,
            run.per_second / floor.per_second,
            run.cpu_ms / floor.cpu_ms if floor.cpu_ms else None,
        )

    @classmethod
    def of_latencies(cls, scenario: str, stack: str, connections: int, latencies: Sequence[float]) -> Row:
        """The row of a moment within a closed loop: it has latencies (ms) only."""
        half, nearly_all = percentile(latencies, 50), percentile(latencies, 99)
        return cls(scenario, stack, connections, len(latencies), half, nearly_all)

    def cells(self) -> list[str]:
        """As text, in the order of the header."""
        return [
            self.scenario,
            self.stack,
            str(self.connections),
            str(self.count),
            _number(self.per_second, 0),
            _number(self.p50_ms, 1),
            _number(self.p99_ms, 1),
            _number(self.cpu_ms, 2),
            _number(self.rss_mb, 0),
            _number(self.ratio, 2),
            _number(self.cpu_ratio, 1),
        ]


@dataclass(frozen=True, slots=True)
class Report:
    """One run: when, on what, and the rows."""

    measured_at: datetime
    machine: dict[str, str]
    rows: Sequence[Row]

    def text(self) -> str:
        """The machine, one line a fact, and the table."""
        facts = [f"{name}: {fact}" for name, fact in self.machine.items()]
        return "\n".join([*facts, "", *_table(self.rows)]) + "\n"

    def as_json(self) -> str:
        """All of it, with every digit."""
        whole = {
            "measured_at": self.measured_at.isoformat(),
            "machine": self.machine,
            "rows": [asdict(row) for row in self.rows],
        }
        return json.dumps(whole, indent=2) + "\n"

    def write(self, directory: Path) -> Path:
        """Write ``TIME.txt`` and ``TIME.json``; returns the path of the first."""
        stem = self.measured_at.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")
        (directory / f"{stem}.json").write_text(self.as_json(), encoding="utf-8")
        path = directory / f"{stem}.txt"
        path.write_text(self.text(), encoding="utf-8")
        return path


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:,.{decimals}f}"


def _table(rows: Sequence[Row]) -> list[str]:
    lines = [list(_HEADER), *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADER))]
    return ["  ".join(_padded(line, widths)).rstrip() for line in lines]


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.ljust(width) if column < _TEXT_COLUMNS else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]
