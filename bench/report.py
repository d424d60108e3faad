"""What a run found: for people as tables, for programs as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol

from bench.table import laid_out

Say = Callable[[str], None]
"""Told what is measured now."""


class Line(Protocol):
    """A line of a table; a dataclass, whose fields go into the JSON."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def cells(self) -> list[str]:
        """As text, in the order of the header."""
        ...


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of figures. The first ``texts`` columns are words."""

    title: str
    header: tuple[str, ...]
    lines: Sequence[Line]
    texts: int = 2

    def text(self) -> str:
        """The title, and the table below it."""
        return f"{self.title}\n{laid_out(self.header, [line.cells() for line in self.lines], self.texts)}\n"


@dataclass(frozen=True, slots=True)
class Report:
    """One run: when, on what, and the tables."""

    measured_at: datetime
    machine: dict[str, str]
    tables: Sequence[Table]

    def text(self) -> str:
        """The machine, one line a fact, and the tables."""
        facts = "".join(f"{name}: {fact}\n" for name, fact in self.machine.items())
        return "\n".join([facts, *(table.text() for table in self.tables)])

    def as_json(self) -> str:
        """All of it, with every digit."""
        whole = {
            "measured_at": self.measured_at.isoformat(),
            "machine": self.machine,
            "tables": {table.title: [asdict(line) for line in table.lines] for table in self.tables},
        }
        return json.dumps(whole, indent=2) + "\n"

    def write(self, directory: Path) -> Path:
        """Write ``TIME.txt`` and ``TIME.json``; returns the path of the first."""
        stem = self.measured_at.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")
        (directory / f"{stem}.json").write_text(self.as_json(), encoding="utf-8")
        path = directory / f"{stem}.txt"
        path.write_text(self.text(), encoding="utf-8")
        return path


def number(value: float | None, decimals: int) -> str:
    """As it stands in a table; a dash where there is none."""
    return "-" if value is None else f"{value:,.{decimals}f}"
