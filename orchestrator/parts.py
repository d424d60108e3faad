"""What the edges are built from: made once by the composition root, handed to every room."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.calls import CallBook
from orchestrator.database import Database
from orchestrator.seqr.messages import Seqr
from orchestrator.settings import Settings
from orchestrator.settlement import Settlement


@dataclass(frozen=True, slots=True)
class Parts:
    """The running program's parts. ``secret`` signs sessions and notification URLs."""

    settings: Settings
    secret: str
    database: Database
    seqr: Seqr
    settlement: Settlement
    calls: CallBook = field(default_factory=CallBook)
    """Counts this process' calls to SEQR."""
