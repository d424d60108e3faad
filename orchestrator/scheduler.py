"""The scheduler: APScheduler runs what nobody asks for, again and again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger(__name__)

_SILENT_TOO_LONG = 15.0
_LONGEST_STOP = 10.0


@dataclass(slots=True)
class Job:
    """Something done every ``seconds``, and how its last run went. Times are of the monotonic clock."""

    name: str
    run: Callable[[], Awaitable[object]]
    seconds: float
    begun_at: float = 0.0
    ended_at: float = 0.0
    error: str | None = None


class Scheduler:
    """Runs its jobs one beside the other, each never twice at a time.

    A run that fails is logged and is the next run's business: whatever it had to do is still due then.
    """

    def __init__(self, jobs: list[Job]) -> None:
        self.jobs = jobs
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._runs: set[asyncio.Task[object]] = set()

    def start(self) -> None:
        """Begin; needs a running event loop."""
        for job in self.jobs:
            job.ended_at = time.monotonic()
            self._scheduler.add_job(
                self._run,
                "interval",
                args=[job],
                seconds=job.seconds,
                id=job.name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )
        self._scheduler.start()

    async def stop(self, longest: float = _LONGEST_STOP) -> None:
        """Begin no further run, and let those under way end; after ``longest`` seconds they are cancelled.

        A mail that is cut off when the mail server has it already would go out a second time.
        """
        if not self._scheduler.running:
            return
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
            silent = time.monotonic() - job.ended_at
            if silent > job.seconds + _SILENT_TOO_LONG:
                return f"The job {job.name} has not ended a run for {silent:.0f} s."
        return None

    async def _run(self, job: Job) -> None:
        job.begun_at = time.monotonic()
        task = asyncio.current_task()
        assert task is not None
        self._runs.add(task)
        task.add_done_callback(self._runs.discard)
        try:
            await job.run()
        except Exception as error:
            if job.error != str(error):  # one line when it begins to fail, not one for every run
                log.exception("job.failed", job=job.name)
            job.error = str(error)
        else:
            if job.error is not None:
                log.info("job.recovered", job=job.name)
            job.error = None
        finally:
            job.ended_at = time.monotonic()
