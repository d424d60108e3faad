"""The system's condition: what is read of it, what of that is trouble, and how it is drawn.

Read and drawn once for all who look at it, and only while somebody does.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.desk import Desk
from dashboard.language import mark
from dashboard.queries.system import System, read_system
from orchestrator import migration
from orchestrator.configuration import without_password
from orchestrator.database import DatabaseUnavailable, Pool
from orchestrator.identity import now
from orchestrator.pulse import DEADLINE, JobRuns, Process
from orchestrator.secrecy import Secrecy
from orchestrator.seqr.codes import RESULT_CODE_NAMES

EVERY = 3.0
"""Seconds between two looks."""

LATE = 10.0
"""Seconds: an open invoice that was not asked about for so long is half way to SEQR's deadline."""
_STUCK = timedelta(seconds=15)
_LONG_QUEUED = timedelta(minutes=10)

JOBS = {
    "reconcile": mark("asks SEQR about every open invoice"),
    "mail": mark("sends the mails that are due"),
    "bulk": mark("works through bulk runs"),
    "tally": mark("counts sales for the overview"),
    "prune": mark("forgets what is kept for a while only"),
    "erase": mark("erases customers whose time is over"),
    "pulse": mark("reports what this page shows"),
}
"""What each job does, by its name."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The database as this process has it. ``answered_in`` is in milliseconds; ``problem`` is empty while it
    answers."""

    address: str
    pool: Pool
    needed: str
    answered_in: float = 0.0
    problem: str = ""


def job_state(process: Process, job: JobRuns) -> str:
    """``well``, ``failed``, ``stuck`` (a run goes on far too long), ``waiting`` (none has ended yet)."""
    begun, ended = job.begun_at, job.ended_at
    if begun is not None and (ended is None or begun > ended):  # a run goes on
        longest = timedelta(seconds=job.every) + _STUCK
        if process.seen_at - begun > longest:
            return "stuck"
    if job.error is not None:
        return "failed"
    return "well" if job.runs else "waiting"


@dataclass(frozen=True, slots=True)
class Condition:
    """The system at one moment; ``system`` is None while the database does not answer."""

    at: datetime
    storage: Storage
    endpoint: str
    system: System | None

    @property
    def troubles(self) -> list[str]:
        """What somebody should look into, by name; the template has the words."""
        found = self.system
        if found is None:
            return ["database"]
        states = {job_state(each, job) for each in found.pulse.processes for job in each.report.jobs}
        signs = {
            "migration": found.revision != self.storage.needed,
            "silent": not found.pulse.processes,
            "jobs": not states.isdisjoint({"failed", "stuck"}),
            "seqr_down": found.pulse.seqr.state == "down",
            "seqr_troubled": found.pulse.seqr.state == "troubled",
            "late": found.pulse.longest_unasked > LATE,
            "mails_failed": found.failed.number > 0,
            "mails_late": found.queued.since is not None and self.at - found.queued.since > _LONG_QUEUED,
        }
        return [name for name, there in signs.items() if there]


async def examine(desk: Desk) -> Condition:
    """Look now. Where the database does not answer, that is what is told."""
    parts, at, begun = desk.parts, now(), time.perf_counter()
    secrecy = Secrecy.of(parts.settings, parts.secret)
    address = without_password(parts.settings.database)
    endpoint = secrecy.hide(parts.settings.seqr_endpoint or "")
    pool, needed = parts.database.pool(), migration.newest()
    try:
        found = await parts.database.read(read_system, at)
    except DatabaseUnavailable as error:
        problem = secrecy.hide(error.message)
        return Condition(at, Storage(address, pool, needed, problem=problem), endpoint, None)
    answered_in = (time.perf_counter() - begun) * 1000
    return Condition(at, Storage(address, pool, needed, answered_in), endpoint, found)


async def drawn(desk: Desk, language: str) -> str:
    """The condition as HTML, not older than a moment."""
    live = desk.live

    async def draw() -> str:
        condition = await live.shared("condition", lambda: examine(desk), EVERY / 2)
        return live.render(language, "system/condition.html", **_values(condition))

    return await live.shared(f"condition:{language}", draw, EVERY / 2)


def _values(condition: Condition) -> dict[str, object]:
    return {
        "condition": condition,
        "jobs": JOBS,
        "job_state": job_state,
        "late": LATE,
        "deadline": DEADLINE,
        "code_names": RESULT_CODE_NAMES,
    }
