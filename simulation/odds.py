"""What goes wrong in a run, and how often: drawn anew for each, so that every mixture comes up.

A run with everything at once hides as much as a run with nothing: who is always down never gets far. So each
kind of fault is in some runs only, rare in some of these and frequent in others.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

Kinds = Mapping[str, Mapping[str, float]]

FAULTS: Mapping[str, tuple[str, ...]] = {
    "database": (
        "lost before the work",
        "lost after the commit",
        "deadlock",
        "slow",
        "crash before the work",
        "crash after the commit",
    ),
    "SEQR": (
        "no connection",
        "lost before the work",
        "lost after the work",
        "worked late",
        "repeated",
        "busy",
        "slow there",
        "slow back",
        "about another invoice",
        "unknown status",
        "refused",
        "crash before the work",
        "crash after the work",
    ),
    "notification": ("lost", "repeated", "delayed", "both"),
    "mail": (
        "no connection",
        "lost before the work",
        "lost after the work",
        "refused",
        "crash before the work",
        "crash after the work",
    ),
}
"""At each edge of the orchestrator, what may happen to one call over it."""

DISASTERS = (
    "SEQR away",
    "SEQR hangs",
    "SEQR slow",
    "database away",
    "mail server away",
    "process killed",
    "process frozen",
)
"""What befalls all calls for a while. Each comes now and then in a run that has it."""

_RATES = (0.002, 0.008, 0.03)
_WIRE_RATES = (0.05, 0.2, 0.5)
_EVERY = (20.0, 45.0, 90.0)
_LOST_MAILS = (0.02, 0.1)


def draw_faults(random: Random) -> Kinds:
    """The chance of each fault for one call over each edge."""
    if random.random() < 0.05:
        return {edge: {} for edge in FAULTS}
    return {edge: _draw(random, edge) for edge in FAULTS}


def _draw(random: Random, edge: str) -> dict[str, float]:
    rates = {"notification": _WIRE_RATES, "mail": _LOST_MAILS}.get(edge, _RATES)
    return {kind: random.choice(rates) for kind in FAULTS[edge] if random.random() < 0.4}


def draw_disasters(random: Random) -> dict[str, float]:
    """How many seconds pass between two disasters of each kind, on average."""
    return {kind: random.choice(_EVERY) for kind in DISASTERS if random.random() < 0.4}
