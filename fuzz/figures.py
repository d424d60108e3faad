"""What a run of the fuzzer came to: heard from what it prints, for people a line, for programs JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.table import laid_out

_PROGRESS = re.compile(r"#(\d+)\s+\S+\s+cov: (\d+) ft: (\d+) corp: (\d+)/")
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_ARTIFACT = re.compile(r"Test unit written to (\S+)")
_HEADER = ("target", "seconds", "executions", "per s", "edges", "features", "corpus", "crashes", "endings")


@dataclass(slots=True)
class Figures:
    """One target's. ``edges`` and ``features`` are libFuzzer's measures of what was reached in our code;
    ``endings`` says how inputs ended, a little behind."""

    target: str
    began_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    seconds: float = 0.0
    executions: int = 0
    edges: int = 0
    features: int = 0
    corpus: int = 0
    crashes: list[str] = field(default_factory=list)
    endings: Mapping[str, int] = field(default_factory=dict)

    def hear(self, line: str) -> None:
        """One line of what the fuzzer prints."""
        if found := _PROGRESS.match(line):
            self.executions, self.edges, self.features, self.corpus = map(int, found.groups())
        elif found := _EXECUTED.match(line):
            self.executions = int(found[1])
        elif found := _ARTIFACT.search(line):
            self.crashes.append(found[1])

    @property
    def per_second(self) -> float:
        return self.executions / self.seconds if self.seconds else 0.0

    def line(self) -> str:
        """How far it is."""
        reached = f"{self.edges:,} edges, {self.corpus:,} inputs kept"
        return f"{self.target}: {self.executions:,} executions, {reached}"

    def cells(self) -> list[str]:
        """In the order of the table's header."""
        endings = sorted(self.endings.items(), key=lambda each: -each[1])
        return [
            self.target,
            f"{self.seconds:,.0f}",
            f"{self.executions:,}",
            f"{self.per_second:,.0f}",
            f"{self.edges:,}",
            f"{self.features:,}",
            f"{self.corpus:,}",
            str(len(self.crashes)),
            ", ".join(f"{ending} {number:,}" for ending, number in endings),
        ]

    def write(self, directory: Path) -> None:
        """Keep all in ``TARGET.json``."""
        kept = asdict(self) | {"executions_per_second": round(self.per_second, 1)}
        text = json.dumps(kept, indent=2, ensure_ascii=False)
        (directory / f"{self.target}.json").write_text(text + "\n", encoding="utf-8")


def table(runs: Sequence[Figures]) -> str:
    """A line for each target."""
    return laid_out(_HEADER, [figures.cells() for figures in runs])
