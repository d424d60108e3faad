"""The pulse: what every running process says of itself every few seconds, and what all of them say together.

Each process keeps one row: its jobs, and its calls to SEQR of the last five minutes. Whoever reads adds up
the rows of the processes that are alive, so a page tells the same whichever process answers it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, delete, insert, select, update

from orchestrator import census
from orchestrator.calls import CallBook, Calls, merged
from orchestrator.database import Database, DatabaseUnavailable
from orchestrator.identity import new_id, now
from orchestrator.scheduler import Job
from orchestrator.tables import process_reports
from orchestrator.version import own_version

EVERY = 5.0
"""Seconds between two reports of a process."""
DEAD_AFTER = timedelta(minutes=1)
"""A process that has said nothing for so long is not counted any more."""
KEPT_FOR = timedelta(days=1)
DEADLINE = 20.0
"""Seconds after which SEQR takes back a payment that nobody asked about (facts, rule 1)."""

_LULL = timedelta(seconds=10)
"""So long may nothing succeed before SEQR counts as down: calls that began together end apart."""
_MANY = 0.1
"""Of the calls: so many refusals are no longer one customer's or one invoice's matter."""
_MOST_PROCESSES = 200
_LONGEST_WORDS = 300

State = Literal["silent", "well", "troubled", "down"]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JobRuns:
    """How a scheduler's job goes in one process. ``every`` and ``took`` are in seconds."""

    name: str
    every: float
    begun_at: datetime | None
    ended_at: datetime | None
    took: float | None
    """How long the run that ended last took."""
    runs: int
    error: str | None
    """Why the run that ended last failed; None when it went well."""
    failed_at: datetime | None
    """When a run failed last, and why, though others may have gone well since."""
    failed_with: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a process says of itself."""

    jobs: tuple[JobRuns, ...] = ()
    calls: tuple[Calls, ...] = ()
    viewers: int = 0
    """How many pages are looked at live."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that is alive."""

    id: str
    host: str
    pid: int
    version: str
    started_at: datetime
    seen_at: datetime
    report: Report


@dataclass(frozen=True, slots=True)
class SeqrHealth:
    """Calls to SEQR of all processes in the last five minutes."""

    operations: tuple[Calls, ...]
    """By operation, those with a call since the processes started."""
    total: Calls
    """All of them as one; its ``operation`` is empty."""

    @property
    def state(self) -> State:
        """``silent``: no call in five minutes. ``down``: SEQR decides on nothing, and nothing has succeeded
        lately. ``troubled``: it decided on some only, or refused many. ``well``: the rest."""
        total = self.total
        if not total.number:
            return "silent"
        if total.unanswered and self._no_success_lately():
            return "down"
        refuses_many = total.failed >= total.number * _MANY
        return "troubled" if total.unanswered or refuses_many else "well"

    def _no_success_lately(self) -> bool:
        succeeded, failed = self.total.succeeded_at, self.total.failed_at
        return succeeded is None or (failed is not None and failed - succeeded > _LULL)


@dataclass(frozen=True, slots=True)
class Pulse:
    """Everything at the moment ``at``."""

    at: datetime
    processes: tuple[Process, ...]
    """Those alive, the oldest first."""
    seqr: SeqrHealth
    open_invoices: int
    """Invoices that a customer may pay."""
    longest_unasked: float
    """Seconds since SEQR was asked about the open invoice that waits longest; 0 when none is open."""

    @property
    def viewers(self) -> int:
        """How many pages are looked at live, in all processes."""
        return sum(process.report.viewers for process in self.processes)

    @property
    def to_deadline(self) -> float:
        """Seconds left until SEQR takes back a payment; below 0 when it may have happened."""
        return DEADLINE - self.longest_unasked


def read(connection: Connection, at: datetime) -> Pulse:
    """The processes alive, SEQR's health as they see it, and the open invoices."""
    processes = _alive(connection, at)
    operations: dict[str, list[Calls]] = {}
    for calls in (calls for process in processes for calls in process.report.calls):
        operations.setdefault(calls.operation, []).append(calls)
    together = tuple(merged(name, several) for name, several in operations.items())
    open_invoices, longest_unasked = census.open_invoices(connection, at)
    return Pulse(at, processes, SeqrHealth(together, merged("", together)), open_invoices, longest_unasked)


def _alive(connection: Connection, at: datetime) -> tuple[Process, ...]:
    statement = (
        select(process_reports)
        .where(process_reports.c.seen_at > at - DEAD_AFTER)
        .order_by(process_reports.c.started_at, process_reports.c.id)
        .limit(_MOST_PROCESSES)
    )
    return tuple(
        Process(row.id, row.host, row.pid, row.version, row.started_at, row.seen_at, _report(row.report))
        for row in connection.execute(statement)
    )


_REPORT = TypeAdapter(Report)


def _report(text: str) -> Report:
    """A process of another version may say things that this one does not understand: then nothing of it."""
    try:
        return _REPORT.validate_json(text)
    except ValidationError:
        return Report()


@dataclass(frozen=True, slots=True)
class Sources:
    """What a report is made of: the scheduler's jobs, the calls to SEQR, how many look at a live page."""

    jobs: Sequence[Job]
    calls: CallBook
    viewers: Callable[[], int]


class Reporter:
    """Writes this process' row. ``hide`` takes secrets out of the words in it."""

    def __init__(
        self,
        database: Database,
        sources: Sources,
        hide: Callable[[str], str],
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.id = new_id()
        self._database = database
        self._sources = sources
        self._hide = hide
        self._clock = clock
        self._row = {
            "host": socket.gethostname()[:255],
            "pid": os.getpid(),
            "version": own_version()[:64],
            "started_at": clock(),
        }

    async def run_once(self) -> None:
        """Say how this process does."""
        text = _REPORT.dump_json(self._report()).decode()
        row = {**self._row, "seen_at": self._clock(), "report": text}
        await self._database.write(_write, self.id, row)

    async def close(self) -> None:
        """Say that this process is gone. Where the database is gone too, the others notice by themselves."""
        try:
            await self._database.write(_forget, self.id)
        except DatabaseUnavailable as error:
            log.warning("pulse.not_ended", reason=error.message)

    def _report(self) -> Report:
        lately = self._sources.calls.lately()
        calls = tuple(replace(each, failed_with=self._words(each.failed_with)) for each in lately)
        jobs = tuple(self._runs(job) for job in self._sources.jobs)
        return Report(jobs, calls, self._sources.viewers())

    def _runs(self, job: Job) -> JobRuns:
        return JobRuns(
            job.name,
            job.seconds,
            job.begun_at,
            job.ended_at,
            job.took,
            job.runs,
            None if job.error is None else self._words(job.error),
            job.failed_at,
            self._words(job.failed_with),
        )

    def _words(self, text: str) -> str:
        return self._hide(text)[:_LONGEST_WORDS]


def _write(connection: Connection, id_: str, row: dict[str, object]) -> None:
    found = connection.execute(update(process_reports).where(process_reports.c.id == id_).values(row))
    if not found.rowcount:
        connection.execute(insert(process_reports).values(id=id_, **row))


def _forget(connection: Connection, id_: str) -> None:
    connection.execute(delete(process_reports).where(process_reports.c.id == id_))


def prune(connection: Connection, at: datetime) -> int:
    """Forget processes that have said nothing for a day; returns how many."""
    old = process_reports.c.seen_at < at - KEPT_FOR
    return connection.execute(delete(process_reports).where(old)).rowcount
