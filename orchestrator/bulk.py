"""Bulk runs: one action on many purchases, written down first and worked through afterwards.

A run is a row, and so is each of its purchases, with the revision that the operator saw. Any process claims
one item at a time; the claim is a lease, so what a dead process had begun is begun again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, ScalarSelect, Update, case, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from orchestrator import audit, search
from orchestrator.database import LostRace
from orchestrator.errors import OrchestratorError
from orchestrator.portions import portions
from orchestrator.purchase import PurchaseUnknown
from orchestrator.stamp import Stamp
from orchestrator.tables import bulk_items, bulk_runs, purchases
from statemachine import Action

MOST = 10_000
"""Purchases in one run."""
LEASE = timedelta(seconds=60)
"""Longer than an action takes, unless SEQR lets us wait for each of several invoices. Should it be over
too early, somebody else begins the same action, which the revision makes harmless."""
MOST_TRIES = 3
PAUSE = timedelta(seconds=2)
"""Before the second try; twice as long before each further one."""

_R, _I = bulk_runs.c, bulk_items.c


class RunState(StrEnum):
    """Where a run is. One that is stopping ends what was begun, and is stopped then."""

    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DONE = "done"


class ItemState(StrEnum):
    """Where one purchase of a run is."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    LEFT = "left"


_COUNTED = (ItemState.DONE, ItemState.REFUSED, ItemState.FAILED)
UNDER_WAY = (RunState.RUNNING.value, RunState.STOPPING.value)


class RunRefused(OrchestratorError):
    """A run has at least one purchase and at most 10,000. Choose fewer."""

    code = "run_refused"


class RunUnknown(OrchestratorError):
    """There is no such bulk run."""

    code = "run_unknown"


@dataclass(frozen=True, slots=True)
class Seen:
    """A purchase as the operator saw it in the dry run."""

    purchase_id: str
    revision: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants done to many. ``id`` was made with the dry run, so that confirming it twice begins
    it once; ``selection`` is the list's address that the purchases were chosen on."""

    id: str
    action: Action
    why: str
    selection: str


@dataclass(frozen=True, slots=True)
class Task:
    """One claimed item. ``tries`` counts this one."""

    run_id: str
    action: Action
    actor: str
    why: str
    purchase_id: str
    revision: int
    tries: int


def begin(
    connection: Connection, wish: Wish, chosen: Sequence[Seen], stamp: Stamp, address: str = ""
) -> bool:
    """Write the run with its purchases; returns False when it was begun before.

    Raises:
        RunRefused: nothing is chosen, or too much.
        PurchaseUnknown: one of them does not exist.
    """
    if connection.execute(select(_R.id).where(_R.id == wish.id)).one_or_none() is not None:
        return False
    revisions = {seen.purchase_id: seen.revision for seen in chosen}
    if not 1 <= len(revisions) <= MOST:
        raise RunRefused(f"A run has at least one purchase and at most {MOST:,}. Choose fewer.")
    _all_exist(connection, list(revisions))
    about = {"action": wish.action.value, "actor": stamp.actor, "why": wish.why, "selection": wish.selection}
    progress = {"state": RunState.RUNNING.value, "total": len(revisions), "created_at": stamp.at}
    counts = {state.value: 0 for state in _COUNTED}
    try:
        connection.execute(insert(bulk_runs).values({"id": wish.id, **about, **progress, **counts}))
    except IntegrityError as error:
        raise LostRace("The run has just been begun.") from error
    fresh = {"run_id": wish.id, "state": ItemState.WAITING.value, "outcome": "", "tries": 0}
    connection.execute(
        insert(bulk_items),
        [{**fresh, "purchase_id": id_, "revision": revision} for id_, revision in revisions.items()],
    )
    detail = f"{wish.action.value}: {len(revisions)} × {search.untelling(wish.selection)}"
    audit.record(connection, stamp, "bulk.start", wish.id, _with_why(detail, wish.why), address)
    return True


def stop(connection: Connection, run_id: str, stamp: Stamp, address: str = "") -> bool:
    """Leave undone what nobody has begun; returns False when the run had ended or was stopped before.

    Raises:
        RunUnknown: there is no such run.
    """
    state = connection.execute(select(_R.state).where(_R.id == run_id).with_for_update()).scalar_one_or_none()
    if state is None:
        raise RunUnknown(f"There is no bulk run {run_id}.")
    if state != RunState.RUNNING.value:
        return False
    connection.execute(update(bulk_runs).where(_R.id == run_id).values(state=RunState.STOPPING.value))
    begun = (_I.leased_until.is_not(None)) & (_I.outcome == "")
    left = connection.execute(
        update(bulk_items)
        .where(_I.run_id == run_id, _I.state == ItemState.WAITING.value, ~begun)
        .values(state=ItemState.LEFT.value, leased_until=None)
    )
    audit.record(connection, stamp, "bulk.stop", run_id, f"{left.rowcount} left", address)
    finish(connection, stamp.at)
    return True


def stop_all_of(connection: Connection, actor: str, stamp: Stamp, address: str = "") -> None:
    """Stop whatever somebody has begun who may act no more."""
    theirs = select(_R.id).where(_R.actor == actor, _R.state == RunState.RUNNING.value).order_by(_R.id)
    for run_id in connection.execute(theirs).scalars().all():
        stop(connection, run_id, stamp, address)


def under_way(connection: Connection) -> list[str]:
    """The runs that have not ended, oldest first."""
    return list(connection.execute(select(_R.id).where(_R.state.in_(UNDER_WAY)).order_by(_R.id)).scalars())


def claim(connection: Connection, at: datetime, turn: int = 0) -> Task | None:
    """Lease the next item that is due: of the runs under way each gets its turn, so that a short one need not
    wait for a long one. None when nothing is due."""
    runs = under_way(connection)
    for number in range(len(runs)):
        task = _claim_of(connection, runs[(turn + number) % len(runs)], at)
        if task is not None:
            return task
    return None


def record(connection: Connection, task: Task, state: ItemState, outcome: str) -> None:
    """Write down how an item ended. Who comes second, after a lease that was over too early, changes
    nothing."""
    connection.execute(_waiting(task).values(state=state.value, outcome=outcome, leased_until=None))


def postpone(connection: Connection, task: Task, problem: str, at: datetime) -> None:
    """Let an item wait for its next try. If the run was stopped meanwhile, it is left undone."""
    stopping = select(_R.id).where(_R.id == task.run_id, _R.state != RunState.RUNNING.value).exists()
    state = case((stopping, ItemState.LEFT.value), else_=ItemState.WAITING.value)
    until = at + PAUSE * 2 ** (task.tries - 1)
    connection.execute(_waiting(task).values(state=state, outcome=problem, leased_until=until))


def finish(connection: Connection, at: datetime) -> None:
    """End the runs of which nothing waits any more, and write down how many came to what."""
    waiting = select(_I.run_id).where(_I.state == ItemState.WAITING.value, _I.run_id == _R.id)
    ended = case((_R.state == RunState.RUNNING.value, RunState.DONE.value), else_=RunState.STOPPED.value)
    connection.execute(
        update(bulk_runs)
        .where(_R.state.in_(UNDER_WAY), ~waiting.exists())
        .values(state=ended, ended_at=at, **{state.value: _how_many(state) for state in _COUNTED})
    )


def _how_many(state: ItemState) -> ScalarSelect[int]:
    items = bulk_items.alias()
    counted = select(func.count()).where(items.c.state == state.value, items.c.run_id == _R.id)
    return counted.scalar_subquery()


def _claim_of(connection: Connection, run_id: str, at: datetime) -> Task | None:
    due = (
        select(_I.purchase_id)
        .where(_I.state == ItemState.WAITING.value, _I.run_id == run_id)
        # What is leased for much longer than any lease was so before the clock was set back.
        .where(or_(_I.leased_until.is_(None), _I.leased_until <= at, _I.leased_until > at + 2 * LEASE))
        .order_by(_I.purchase_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    claimed = connection.execute(
        update(bulk_items)
        .where(_I.run_id == run_id, _I.purchase_id == due.scalar_subquery())
        .values(leased_until=at + LEASE, outcome="", tries=_I.tries + 1)
        .returning(_I.purchase_id, _I.revision, _I.tries)
    ).one_or_none()
    if claimed is None:
        return None
    run = connection.execute(select(_R.action, _R.actor, _R.why).where(_R.id == run_id)).one()
    return Task(run_id, Action(run.action), run.actor, run.why, *claimed)


def _waiting(task: Task) -> Update:
    return update(bulk_items).where(
        _I.run_id == task.run_id,
        _I.purchase_id == task.purchase_id,
        _I.state == ItemState.WAITING.value,
    )


def _all_exist(connection: Connection, ids: list[str]) -> None:
    found = sum(
        connection.execute(select(func.count()).where(purchases.c.id.in_(some))).scalar_one()
        for some in portions(ids)
    )
    if found < len(ids):
        raise PurchaseUnknown(f"{len(ids) - found} of the chosen purchases do not exist.")


def _with_why(detail: str, why: str) -> str:
    return f"{detail}. Why: {why}" if why else detail
