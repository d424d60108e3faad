"""The scheduler: APScheduler runs what nobody asks for, again and again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from orchestrator.identity import now

log = structlog.get_logger(__name__)

_SILENT_TOO_LONG = 15.0
_LONGEST_STOP = 10.0
_MINDED_EVERY = 0.5
_STEP = 1.0


@dataclass(slots=True)
class Job:
    """Something done every ``seconds``, and how it went."""

    name: str
    run: Callable[[], Awaitable[object]]
    seconds: float
    begun_at: datetime | None = None
    """When the last run began."""
    ended_at: datetime | None = None
    """When the last run that ended did."""
    took: float | None = None
    """Seconds that the run that ended last took."""
    runs: int = 0
    """How many have ended."""
    error: str | None = None
    """Why the run that ended last failed; None when it went well."""
    failed_at: datetime | None = None
    failed_with: str = ""
    """Why the last one that failed did."""
    alive_at: float = 0.0
    """By the monotonic clock: when a run last ended, at first when the scheduler was started."""

    def begin(self) -> None:
        """A run begins."""
        self.begun_at = now()

    def end(self, error: str | None, took: float) -> None:
        """The run is over; ``error`` says why it failed, ``took`` is in seconds."""
        self.ended_at, self.took, self.error = now(), took, error
        self.runs += 1
        self.alive_at = time.monotonic()
        if error is not None:
            self.failed_at, self.failed_with = self.ended_at, error


class _Every(BaseTrigger):  # type: ignore[misc]
    """Counts from now on, whatever was missed: APScheduler's own goes through every run that was, one by one,
    which takes minutes when a clock that was years behind is set."""

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        return now + self._interval


class Scheduler:
    """Runs its jobs one beside the other, each never twice at a time.

    A run that fails is logged and is the next run's business: whatever it had to do is still due then.
    APScheduler plans by the time of day. When somebody sets the clock, all is planned anew from the new
    time: a clock that was set back by an hour must not keep a payment waiting for an hour.
    """

    def __init__(self, jobs: list[Job]) -> None:
        self.jobs = jobs
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._runs: set[asyncio.Task[object]] = set()
        self._minding: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; needs a running event loop."""
        for job in self.jobs:
            job.alive_at = time.monotonic()
            self._scheduler.add_job(
                self._run,
                _Every(job.seconds),
                args=[job],
                id=job.name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )
        self._scheduler.start()
        self._minding = asyncio.create_task(self._mind_the_clock(), name="mind-the-clock")

    async def stop(self, longest: float = _LONGEST_STOP) -> None:
        """Begin no further run, and let those under way end; after ``longest`` seconds they are cancelled.

        A mail that is cut off when the mail server has it already would go out a second time.
        """
        if self._minding is None:
            return
        self._minding.cancel()
        self._minding = None
        self._scheduler.pause()
        await asyncio.sleep(0)  # runs that were begun just now enter themselves
        if self._runs:
            await asyncio.wait(self._runs, timeout=longest)
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # APScheduler shuts down in the next turn of the event loop

    def why_not_well(self) -> str | None:
        """What is wrong with the scheduler, or None."""
        if not self._scheduler.running:
            return "The scheduler does not run."
        for job in self.jobs:
            silent = time.monotonic() - job.alive_at
            if silent > job.seconds + _SILENT_TOO_LONG:
                return f"The job {job.name} has not ended a run for {silent:.0f} s."
        return None

    async def _mind_the_clock(self) -> None:
        known = _set_to()
        while True:
            await asyncio.sleep(_MINDED_EVERY)
            step = _set_to() - known
            if abs(step) < _STEP:
                continue  # time servers nudge a clock all the time
            known += step
            log.warning("clock.set", seconds=round(step, 3))
            for job in self.jobs:
                self._scheduler.reschedule_job(job.name, trigger=_Every(job.seconds))

    async def _run(self, job: Job) -> None:
        job.begin()
        task = asyncio.current_task()
        assert task is not None
        self._runs.add(task)
        task.add_done_callback(self._runs.discard)
        begun = time.monotonic()
        error: str | None = "The run was cut off: the process is stopping."
        try:
            error = await self._outcome(job)
        finally:
            job.end(error, time.monotonic() - begun)

    @staticmethod
    async def _outcome(job: Job) -> str | None:
        """Run it; returns why it failed."""
        try:
            await job.run()
        except Exception as failure:
            error = str(failure) or type(failure).__name__
            if job.error != error:  # one line when it begins to fail, not one for every run
                log.exception("job.failed", job=job.name)
            return error
        if job.error is not None:
            log.info("job.recovered", job=job.name)
        return None


def _set_to() -> float:
    """What the clock on the wall is ahead of the one that nobody can set, in seconds."""
    return now().timestamp() - time.monotonic()
