"""The programs that are measured: ours, and what it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class Program:
    """A module with its arguments, which serves on ``--port``. ``notified``: it goes on after the order, when
    SEQR calls. ``needs`` is a module that only ``make bench`` installs."""

    name: str
    arguments: tuple[str, ...]
    notified: bool = True
    needs: str | None = None

    @property
    def is_here(self) -> bool:
        """Whether it can be run."""
        return self.needs is None or find_spec(self.needs) is not None


ORCHESTRATOR = Program("orchestrator", ("orchestrator", "serve"))
FLOOR = Program("floor", ("bench.floor",))
MANUAL = Program("manual", ("bench.manual",), notified=False, needs="aiosqlite")
DBOS = Program("DBOS", ("bench.durable",), notified=False, needs="dbos")
