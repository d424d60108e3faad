"""What a run came to: a line of the table for people; schemathesis' own report has the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.table import laid_out

_HEADER = ("database", "seed", "seconds", "calls", "cases", "failures", "customers", "verdict")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run. ``report`` is what schemathesis wrote; ``errors`` what the program logged as such."""

    database: str
    report: Mapping[str, Any]
    customers: Mapping[str, int]
    errors: tuple[str, ...]

    @property
    def complaints(self) -> list[str]:
        """What is wrong, a sentence each."""
        found = [
            f"{failure['title']} ({failure['type']}): {', '.join(failure['operations'])}."
            for failure in self.report["failures"]
        ]
        found += [f"schemathesis could not ask: {error}." for error in self.report["errors"]]
        if not self.report["complete"]:
            found.append("schemathesis did not come to its end.")
        operations = self.report["operations"]
        if missed := operations["total"] - operations["tested"]:
            found.append(f"{missed} of {operations['total']} calls were not asked.")
        found += [f"The program logged an error: {line}" for line in self.errors]
        phases = self.report["phases"]
        found += [f"Nothing was asked in the phase {name}." for name in phases if not _was_done(phases[name])]
        return found

    def cells(self) -> list[str]:
        """In the order of the table's header."""
        operations, cases = self.report["operations"], self.report["test_cases"]
        return [
            self.database,
            str(self.report["seed"]),
            f"{self.report['running_time']:.0f}",
            f"{operations['tested']} of {operations['total']}",
            f"{cases['generated']:,}",
            str(cases["unique_failures"]),
            ", ".join(f"{number} {what}" for what, number in self.customers.items()),
            "WRONG" if self.complaints else "right",
        ]


def table(outcomes: Iterable[Outcome]) -> str:
    """A line for each run."""
    return laid_out(_HEADER, [outcome.cells() for outcome in outcomes])


def _was_done(phase: Mapping[str, Any]) -> bool:
    return phase["status"] != "skip" and phase["skip_reason"] is None
