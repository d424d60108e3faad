"""What a run came to: a line of the table for people, everything for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.table import laid_out
from endurance.audit import Verdict, Waits

_HEADER = (
    "notifications",
    "database",
    "paid",
    "open",
    "per s",
    "reversed",
    "lost",
    "doubled",
    "after payment, s",
    "after notification, s",
    "asked per s",
    "CPU",
    "load",
    "verdict",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run. ``crowd`` is how few purchases were open, at the least, while there were more to come;
    ``cpu_share`` how much of a core the program used; ``load`` the machine's before and after."""

    mode: str
    database: str
    began_at: datetime
    seconds: float
    crowd: int | None
    asked: int
    cpu_share: float
    rss_mb: float
    load: tuple[float, float]
    errors: tuple[str, ...]
    verdict: Verdict

    @property
    def is_right(self) -> bool:
        return not (self.complaints or self.verdict.late)

    @property
    def complaints(self) -> tuple[str, ...]:
        """What is wrong, whatever the pace."""
        logged = (f"The program logged an error: {line}" for line in self.errors)
        return (*self.verdict.complaints, *logged)

    def cells(self) -> list[str]:
        """In the order of the table's header."""
        verdict = self.verdict
        return [
            self.mode,
            self.database,
            f"{verdict.paid:,}",
            "-" if self.crowd is None else str(self.crowd),
            f"{verdict.paid / self.seconds:.1f}",
            str(verdict.reversed),
            str(verdict.lost),
            str(verdict.doubled),
            _seconds(verdict.after_payment),
            _seconds(verdict.after_notification),
            f"{self.asked / self.seconds:.0f}",
            f"{self.cpu_share:.0%}",
            f"{self.load[0]:.1f}–{self.load[1]:.1f}",
            "right" if self.is_right else "LATE" if not self.complaints else "WRONG",
        ]


def table(outcomes: Iterable[Outcome]) -> str:
    """A line for each run."""
    return laid_out(_HEADER, [outcome.cells() for outcome in outcomes])


def write(outcomes: Sequence[Outcome], directory: Path) -> None:
    """Write the table and, beside it, all of it as JSON, named after when it began."""
    directory.mkdir(parents=True, exist_ok=True)
    stem = outcomes[0].began_at.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    whole = [asdict(outcome) | {"began_at": outcome.began_at.isoformat()} for outcome in outcomes]
    (directory / f"{stem}.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    (directory / f"{stem}.txt").write_text(table(outcomes) + "\n", encoding="utf-8")


def _seconds(waits: Waits) -> str:
    """Median, 99th percentile, longest."""
    if waits.p50 is None or waits.p99 is None or waits.longest is None:
        return "-"
    return f"{waits.p50:.2f} / {waits.p99:.2f} / {waits.longest:.2f}"
