"""Replay: what a purchase must be by its journal, held against what is stored.

The journal only grows, so a purchase that was changed past it is found out.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, select

from orchestrator.identity import first_id
from orchestrator.portions import portions
from orchestrator.tables import journal, purchases
from statemachine import TABLE, State

NEWEST = 1000
"""So many of the latest purchases are looked at."""
WINDOWS = 20
"""And so many times, anywhere in the past, a few that follow on one another."""
IN_WINDOW = 25

_CHANCE = secrets.SystemRandom()
_WAYS: set[tuple[str | None, str, str]] = {
    (None, "place", State.RECEIVED.value),
    *((arrow.source.value, arrow.trigger.value, arrow.target.value) for arrow in TABLE),
}


@dataclass(frozen=True, slots=True)
class Stored:
    """A purchase as its own row has it."""

    id: str
    state: str
    revision: int
    attention: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """A row of the journal."""

    purchase_id: str
    sequence: int
    trigger: str
    source: str | None
    target: str
    detail: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many purchases were replayed, and what does not agree, a sentence each."""

    number: int
    disagreements: tuple[str, ...]


def sample(connection: Connection) -> Replayed:
    """Replay the latest purchases and some of all times. Quick however many there are."""
    found = _chosen(connection)
    told = tuple(
        sentence
        for some in portions(sorted(found))
        for sentence in _compared([found[id_] for id_ in some], _steps(connection, some))
    )
    return Replayed(len(found), told)


def disagreement(stored: Stored, steps: Iterable[Step]) -> str | None:
    """Why the journal does not make the purchase what it is; None when it does."""
    state: str | None = None
    attention: str | None = None
    number = 0
    for number, step in enumerate(steps, 1):
        if step.sequence != number:
            return f"{stored.id}: row {number} of its journal is missing."
        if step.source != state or not _is_lawful(step):
            way = f"{step.source} → {step.trigger} → {step.target}"
            return f"{stored.id}: row {number} of its journal, {way}, cannot follow on {state}."
        state, attention = step.target, _attention(step, attention)
    if (stored.state, stored.revision) != (state, number):
        kept = f"{stored.id} is {stored.state} at revision {stored.revision}"
        return f"{kept}, its journal ends with {state} at {number}."
    if stored.attention != attention:
        return f"{stored.id}: its attention mark is not the journal's."
    return None


def _is_lawful(step: Step) -> bool:
    return step.source == step.target or (step.source, step.trigger, step.target) in _WAYS


def _attention(step: Step, before: str | None) -> str | None:
    """A mark is about the state it was made in, and is told of whenever it changes."""
    if step.trigger == "attention":
        return step.detail
    return None if step.trigger == "attention_over" or step.source != step.target else before


def _compared(some: Sequence[Stored], steps: Sequence[Step]) -> Iterator[str]:
    journals = {id_: list(rows) for id_, rows in groupby(steps, lambda step: step.purchase_id)}
    for stored in some:
        if (sentence := disagreement(stored, journals.get(stored.id, ()))) is not None:
            yield sentence


def _steps(connection: Connection, ids: Sequence[str]) -> list[Step]:
    statement = (
        select(*(journal.c[name] for name in Step.__slots__))
        .where(journal.c.purchase_id.in_(ids))
        .order_by(journal.c.purchase_id, journal.c.sequence)
    )
    return [Step(*row) for row in connection.execute(statement)]


def _chosen(connection: Connection) -> dict[str, Stored]:
    c = purchases.c
    rows = select(*(c[name] for name in Stored.__slots__))
    found = _read(connection, rows.order_by(c.id.desc()).limit(NEWEST))
    if len(found) < NEWEST:
        return found
    made = select(c.created_at).limit(1)
    first = connection.execute(made.order_by(c.id)).scalar_one()
    last = connection.execute(made.order_by(c.id.desc())).scalar_one()
    for _ in range(WINDOWS):
        moment = first + (last - first) * _CHANCE.random()
        after = rows.where(c.id >= first_id(moment)).order_by(c.id).limit(IN_WINDOW)
        found |= _read(connection, after)
    return found


def _read(connection: Connection, statement: Select[Any]) -> dict[str, Stored]:
    return {row[0]: Stored(*row) for row in connection.execute(statement)}
