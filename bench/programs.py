"""The programs that are measured: ours, and what it is held against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Program:
    """A module with its arguments, which serves on ``--port``. ``notified``: it goes on after the order, when
    SEQR calls."""

    name: str
    arguments: tuple[str, ...]
    notified: bool = True


ORCHESTRATOR = Program("orchestrator", ("orchestrator", "serve"))
FLOOR = Program("floor", ("bench.floor",))
