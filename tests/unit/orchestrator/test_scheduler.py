"""The scheduler: jobs go on whatever one of them does, and somebody can tell when they do not."""

from __future__ import annotations

import asyncio
import time

import pytest

from orchestrator.identity import now
from orchestrator.scheduler import Job, Scheduler
from tests.fixtures.clock import wrong_clock
from tests.fixtures.sandbox import until


class Work:
    """Something to do again and again."""

    def __init__(self) -> None:
        self.runs = 0
        self.at_once = self.most_at_once = 0
        self.cancelled = 0
        self.go = asyncio.Event()
        self.go.set()
        self.error: Exception | None = None

    async def __call__(self) -> None:
        self.runs += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.go.wait()
            if self.error is not None:
                raise self.error
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.at_once -= 1


async def test_jobs_run_again_and_again_until_stopped() -> None:
    work = Work()
    scheduler = Scheduler([Job("work", work, 0.01)])
    assert scheduler.why_not_well() == "The scheduler does not run."
    scheduler.start()
    try:
        assert scheduler.why_not_well() is None
        await until(lambda: work.runs >= 3)
    finally:
        await scheduler.stop()
        await scheduler.stop()
    runs = work.runs
    await asyncio.sleep(0.05)
    assert work.runs == runs
    assert scheduler.why_not_well() == "The scheduler does not run."


async def test_a_stop_lets_the_runs_under_way_end() -> None:
    work = Work()
    work.go.clear()
    job = Job("mail", work, 0.01)
    scheduler = Scheduler([job])
    scheduler.start()
    await until(lambda: work.at_once == 1)

    stopping = asyncio.create_task(scheduler.stop())
    done, _ = await asyncio.wait([stopping], timeout=0.05)
    assert not done
    work.go.set()
    await stopping

    assert (work.runs, work.at_once, work.cancelled) == (1, 0, 0)


async def test_a_stop_does_not_wait_for_ever() -> None:
    work = Work()
    work.go.clear()
    scheduler = Scheduler([Job("mail", work, 0.01)])
    scheduler.start()
    await until(lambda: work.at_once == 1)

    await scheduler.stop(longest=0.05)

    await until(lambda: work.at_once == 0)
    assert work.cancelled == 1


async def test_a_slow_job_never_runs_twice_at_a_time_and_holds_up_nobody() -> None:
    slow, quick = Work(), Work()
    slow.go.clear()
    scheduler = Scheduler([Job("slow", slow, 0.01), Job("quick", quick, 0.01)])
    scheduler.start()
    try:
        await until(lambda: slow.runs == 1)
        seen = quick.runs
        await until(lambda: quick.runs >= seen + 3)
        assert (slow.runs, slow.most_at_once) == (1, 1)
        slow.go.set()
        await until(lambda: slow.runs >= 2)
    finally:
        slow.go.set()
        await scheduler.stop()


@pytest.mark.parametrize("seconds", [-3600, 3600, 1.5e9], ids=["an hour back", "an hour on", "47 years on"])
async def test_a_clock_that_is_set_holds_up_no_job(seconds: float) -> None:
    work = Work()
    scheduler = Scheduler([Job("work", work, 0.01)])
    with wrong_clock() as clock:
        scheduler.start()
        try:
            await until(lambda: work.runs >= 1)
            clock.turn(seconds)
            seen = work.runs
            await until(lambda: work.runs >= seen + 3)
        finally:
            await scheduler.stop()


async def test_a_run_that_fails_is_the_next_runs_business() -> None:
    work = Work()
    work.error = RuntimeError("no luck")
    job = Job("work", work, 0.01)
    scheduler = Scheduler([job])
    scheduler.start()
    try:
        await until(lambda: work.runs >= 2 and job.error == "no luck")
        assert job.failed_with == "no luck"
        failed_at = job.failed_at
        work.error = None
        await until(lambda: job.error is None)
    finally:
        await scheduler.stop()
    assert failed_at is not None
    assert job.begun_at is not None
    assert job.ended_at is not None
    assert job.failed_at is not None
    assert failed_at <= job.failed_at <= job.ended_at <= now()
    assert job.begun_at <= job.ended_at
    assert job.runs == work.runs
    assert 0 <= (job.took or 0) < 1


async def test_an_error_without_words_is_told_by_its_name() -> None:
    work = Work()
    work.error = KeyError()
    job = Job("work", work, 0.01)
    scheduler = Scheduler([job])
    scheduler.start()
    try:
        await until(lambda: job.error == "KeyError")
    finally:
        await scheduler.stop()


async def test_a_job_that_hangs_is_not_well() -> None:
    work = Work()
    work.go.clear()
    job = Job("reconcile", work, 0.01)
    scheduler = Scheduler([job])
    scheduler.start()
    try:
        await until(lambda: work.runs == 1)
        job.alive_at = time.monotonic() - 20
        assert scheduler.why_not_well() == "The job reconcile has not ended a run for 20 s."
    finally:
        work.go.set()
        await scheduler.stop()
