"""Bulk runs as the dashboard shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, select

from orchestrator.bulk import UNDER_WAY, ItemState
from orchestrator.clerk import NoAnswer
from orchestrator.tables import bulk_items, bulk_runs, purchases

PAGE = 50

_R, _I, _P = bulk_runs.c, bulk_items.c, purchases.c
_SHOWN = (
    _R.id,
    _R.action,
    _R.actor,
    _R.why,
    _R.selection,
    _R.state,
    _R.total,
    _R.done,
    _R.refused,
    _R.failed,
    _R.created_at,
    _R.ended_at,
)


@dataclass(frozen=True, slots=True)
class Run:
    """A run and how far it has come. ``selection`` is the list's address that it was chosen on."""

    id: str
    action: str
    actor: str
    why: str
    selection: str
    state: str
    total: int
    done: int
    refused: int
    failed: int
    created_at: datetime
    ended_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing will be done any more."""
        return self.state not in UNDER_WAY

    @property
    def handled(self) -> int:
        """How many had their turn."""
        return self.done + self.refused + self.failed

    @property
    def waiting(self) -> int:
        """How many have not, and never will if it was stopped."""
        return self.total - self.handled

    @property
    def problems(self) -> int:
        """How many were refused or failed."""
        return self.refused + self.failed


@dataclass(frozen=True, slots=True)
class Problem:
    """A purchase of a run that was not done: ``state`` is ``refused`` or ``failed``, ``why`` a sentence."""

    purchase_id: str
    state: str
    why: str
    customer: str
    title: str
    purchase_state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """A run, what became of those that were done (how many are in each state after it), and the first of its
    problems. ``more`` is the purchase's id to go on from, empty at the end."""

    run: Run
    outcomes: tuple[tuple[str, int], ...]
    problems: tuple[Problem, ...]
    more: str
    unanswered: bool = False
    """Some wait since SEQR did not answer; they are tried again."""


@dataclass(frozen=True, slots=True)
class RunPage:
    """Newest first; ``older`` is the id to go on from, empty at the end."""

    runs: tuple[Run, ...]
    older: str


def read_progress(connection: Connection, run_id: str, after: str = "", size: int = PAGE) -> Progress | None:
    """One run with the problems after the purchase ``after``; None when there is no such run."""
    row: Any = connection.execute(select(*_SHOWN).where(_R.id == run_id)).one_or_none()
    if row is None:
        return None
    run, outcomes = Run(*row), _outcomes(connection, [run_id])
    problems = _problems(connection, run_id, after, size + 1)
    after_it = sorted((outcome, number) for _, state, outcome, number in outcomes if state == ItemState.DONE)
    return Progress(
        _counted(run, outcomes),
        tuple(after_it),
        tuple(problems[:size]),
        problems[size - 1].purchase_id if len(problems) > size else "",
        not run.ended and _is_unanswered(connection, run_id),
    )


def _is_unanswered(connection: Connection, run_id: str) -> bool:
    waiting = select(_I.purchase_id).where(
        _I.run_id == run_id, _I.state == ItemState.WAITING.value, _I.outcome == NoAnswer().message
    )
    return connection.execute(waiting.limit(1)).first() is not None


def read_runs(connection: Connection, older: str = "", size: int = PAGE) -> RunPage:
    """A page of runs. Only of those under way the items are counted."""
    statement = select(*_SHOWN).order_by(_R.id.desc()).limit(size + 1)
    if older:
        statement = statement.where(_R.id < older)
    found: list[Any] = list(connection.execute(statement))
    runs = [Run(*row) for row in found]
    more, runs = len(runs) > size, runs[:size]
    outcomes = _outcomes(connection, [run.id for run in runs if not run.ended])
    return RunPage(tuple(_counted(run, outcomes) for run in runs), runs[-1].id if more else "")


def _outcomes(connection: Connection, run_ids: list[str]) -> list[tuple[str, str, str, int]]:
    """By run and state, for those done also by the purchase's state after it, how many items."""
    if not run_ids:
        return []
    outcome = case((_I.state == ItemState.DONE.value, _I.outcome), else_="").label("after")
    counted = (
        select(_I.run_id, _I.state, outcome, func.count())
        .where(_I.run_id.in_(run_ids))
        .group_by(_I.run_id, _I.state, outcome)
    )
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(counted)]


def _counted(run: Run, outcomes: Iterable[tuple[str, str, str, int]]) -> Run:
    """The run with what is counted now, unless it has ended and the counts stand with it."""
    if run.ended:
        return run
    numbers: Counter[str] = Counter()
    for run_id, state, _, number in outcomes:
        if run_id == run.id:
            numbers[state] += number
    done, refused = numbers[ItemState.DONE], numbers[ItemState.REFUSED]
    return replace(run, done=done, refused=refused, failed=numbers[ItemState.FAILED])


def _problems(connection: Connection, run_id: str, after: str, limit: int) -> list[Problem]:
    statement = (
        select(_I.purchase_id, _I.state, _I.outcome, _P.customer_name, _P.title, _P.state, _P.reason)
        .join(purchases, _P.id == _I.purchase_id)
        .where(_I.run_id == run_id, _I.state.in_((ItemState.REFUSED.value, ItemState.FAILED.value)))
        .where(_I.purchase_id > after)
        .order_by(_I.purchase_id)
        .limit(limit)
    )
    found: list[Any] = list(connection.execute(statement))
    return [Problem(*row) for row in found]
