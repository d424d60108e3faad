"""The figures of many runs: how many, how far, what went wrong in them, what was checked."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulation.run import Report


@dataclass(slots=True)
class Figures:
    """Sums over the runs so far. ``began`` is monotonic seconds."""

    began: float
    runs: int = 0
    seeds: list[int] = field(default_factory=list)
    """The lowest and the highest."""
    hours: float = 0.0
    """Virtual ones."""
    steps: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    breaches: list[int] = field(default_factory=list)

    def add(self, report: Report) -> None:
        """Count one more run."""
        self.runs += 1
        self.seeds = [min([*self.seeds, report.seed]), max([*self.seeds, report.seed])]
        self.hours += report.seconds / 3600
        self.steps.update(report.steps)
        self.faults.update(report.faults)
        self.checks.update(report.checks)
        if report.breach is not None:
            self.breaches.append(report.seed)

    def line(self) -> str:
        """All in one line."""
        return f"{self.runs:,} runs, {self.steps.total():,} steps, {self.checks.total():,} checks"

    def text(self) -> str:
        """All, for people."""
        seconds = time.monotonic() - self.began
        first, last = self.seeds or (0, 0)
        times = f"{self.hours:,.1f} virtual hours in {seconds:,.0f} s"
        speed = f"{self.steps.total() / seconds:,.0f} steps a second"
        head = [f"{self.line()}, {len(self.breaches)} broken", f"Seeds {first} to {last}, {times}, {speed}"]
        tables = [("Steps", self.steps), ("Faults", self.faults), ("Checks", self.checks)]
        return "\n".join([*head, *(_table(title, counts) for title, counts in tables)])

    def write(self, directory: Path) -> None:
        """Keep all in ``simulation.json``."""
        directory.mkdir(parents=True, exist_ok=True)
        kept: dict[str, Any] = {"runs": self.runs, "seeds": self.seeds, "breaches": self.breaches}
        kept |= {"virtual_hours": self.hours, "seconds": time.monotonic() - self.began}
        for name, counts in (("steps", self.steps), ("faults", self.faults), ("checks", self.checks)):
            kept[name] = {"all": counts.total(), **counts}
        text = json.dumps(kept, indent=2, ensure_ascii=False)
        (directory / "simulation.json").write_text(text + "\n", encoding="utf-8")


def _table(title: str, counts: Mapping[str, int]) -> str:
    lines = [f"{number:>12,}  {kind}" for kind, number in sorted(counts.items(), key=lambda each: -each[1])]
    return "\n".join(["", f"{title} ({sum(counts.values()):,})", *lines])
