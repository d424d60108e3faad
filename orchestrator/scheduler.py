"""The scheduler: runs what nobody asks for, again and again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from orchestrator.identity import now

log = structlog.get_logger(__name__)

_SILENT_TOO_LONG = 15.0
_LONGEST_STOP = 10.0


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


class Scheduler:
    """Runs its jobs one beside the other, each never twice at a time.

    A run that fails is logged and is the next run's business: whatever it had to do is still due then.
    The time of day is nothing to it: a clock that is set back must not keep a payment waiting.
    """

    def __init__(self, jobs: list[Job]) -> None:
        self.jobs = jobs
        self._stopping = asyncio.Event()
        self._repeating: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; needs a running event loop."""
        for job in self.jobs:
            job.alive_at = time.monotonic()
            self._repeating.append(asyncio.create_task(self._repeat(job), name=job.name))

    async def stop(self, longest: float = _LONGEST_STOP) -> None:
        """Begin no further run, and let those under way end; after ``longest`` seconds they are cancelled.

        A mail that is cut off when the mail server has it already would go out a second time.
        """
        self._stopping.set()
        if self._repeating:
            _, late = await asyncio.wait(self._repeating, timeout=longest)
            for task in late:
                task.cancel()

    def why_not_well(self) -> str | None:
        """What is wrong with the scheduler, or None."""
        if not self._repeating or self._stopping.is_set():
            return "The scheduler does not run."
        for job in self.jobs:
            silent = time.monotonic() - job.alive_at
            if silent > job.seconds + _SILENT_TOO_LONG:
                return f"The job {job.name} has not ended a run for {silent:.0f} s."
        return None

    async def _repeat(self, job: Job) -> None:
        clock = asyncio.get_running_loop().time
        due = clock() + job.seconds
        while not await self._is_stopped_before(due):
            await self._run(job)
            due += job.seconds * (1 + max(clock() - due, 0) // job.seconds)  # what it has missed is left out

    async def _is_stopped_before(self, due: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await self._stopping.wait()
        return self._stopping.is_set()

    async def _run(self, job: Job) -> None:
        job.begin()
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
