"""The reconciler: everything due is looked at, nobody waits for a slow one, a dead SEQR is spared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from orchestrator import reconcile, watch
from orchestrator.reconcile import SLOTS, Reconciler
from orchestrator.settings import Settings
from orchestrator.watch import Watched
from orchestrator.work import Database, DatabaseUnavailable, T
from tests.fixtures.purchases import a_purchase
from tests.fixtures.sandbox import until

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Queue(Database):
    """A database that knows only what is due; each claim takes from the front."""

    dialect = "none"

    def __init__(self) -> None:
        self.due: list[str] = []
        self.limits: list[int] = []
        self.wakings = 0
        self.away = False

    async def write(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        """Claim: the arguments are settings, time and limit. Or SEQR is back: wake what waits."""
        if work is watch.wake_unanswered:
            self.wakings += 1
            if self.away:
                raise DatabaseUnavailable
            return 0
        limit = args[2]
        self.limits.append(limit)
        taken, self.due = self.due[:limit], self.due[limit:]
        return [Watched(a_purchase(purchase_id), []) for purchase_id in taken]

    async def _write(self, work: Callable[..., T]) -> T:
        raise NotImplementedError

    async def _read(self, work: Callable[..., T]) -> T:
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing is open."""


class Desk:
    """A settlement that only checks; each check waits for ``go`` and ends as ``reached`` says."""

    def __init__(self) -> None:
        self.checked: list[str] = []
        self.under_way = self.most_under_way = 0
        self.go = asyncio.Event()
        self.go.set()
        self.reached: bool | None = True
        self.breaks: set[str] = set()

    async def check(
        self, purchase_id: str, actor: str, everything: bool = False, found: Watched | None = None
    ) -> bool | None:
        assert actor == "reconciler"
        assert found is not None, "it is not read twice"
        assert found.purchase.id == purchase_id
        self.checked.append(purchase_id)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.go.wait()
        finally:
            self.under_way -= 1
        if purchase_id in self.breaks:
            raise RuntimeError("broken")
        return self.reached


class Time:
    """The monotonic clock, standing still."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    stopped = Time()
    monkeypatch.setattr(reconcile, "time", stopped)
    return stopped


@pytest.fixture
async def reconciler(queue: Queue, desk: Desk) -> AsyncIterator[Reconciler]:
    made = Reconciler(queue, desk, Settings(_env_file=None), lambda: AT)
    yield made
    desk.go.set()
    await made.close()


async def run(reconciler: Reconciler) -> int:
    begun = await reconciler.run_once()
    await reconciler.close()
    return begun


async def fail(reconciler: Reconciler, queue: Queue, desk: Desk, times: int = 10) -> None:
    desk.reached = False
    queue.due = [f"f{number}" for number in range(times)]
    await run(reconciler)
    desk.checked.clear()
    queue.limits.clear()


async def test_everything_due_is_checked_once(reconciler: Reconciler, queue: Queue, desk: Desk) -> None:
    queue.due = [f"p{number}" for number in range(450)]
    assert await run(reconciler) == 450
    assert len(desk.checked) == len(set(desk.checked)) == 450
    assert desk.most_under_way <= SLOTS
    assert await run(reconciler) == 0


async def test_a_slow_check_holds_up_nobody_else(reconciler: Reconciler, queue: Queue, desk: Desk) -> None:
    desk.go.clear()
    queue.due = ["slow"]
    await reconciler.run_once()
    queue.due = ["quick"]
    await reconciler.run_once()
    await until(lambda: desk.checked == ["slow", "quick"])
    assert desk.under_way == 2
    closing = asyncio.create_task(reconciler.close())
    await asyncio.sleep(0)
    assert not closing.done(), "it waits for the checks under way"
    desk.go.set()
    await closing
    assert desk.under_way == 0


async def test_a_check_that_breaks_is_alone_with_it(reconciler: Reconciler, queue: Queue, desk: Desk) -> None:
    desk.breaks = {f"p{number}" for number in range(0, 200, 2)}
    queue.due = [f"p{number}" for number in range(200)]
    with capture_logs() as told:
        assert await run(reconciler) == 200
    assert {entry["purchase_id"] for entry in told} == desk.breaks
    queue.due = ["next"]
    await run(reconciler)
    assert desk.checked[-1] == "next", "its slots are free again"


async def test_a_seqr_that_fails_ten_times_is_tried_once_a_second(
    reconciler: Reconciler, queue: Queue, desk: Desk, time: Time
) -> None:
    await fail(reconciler, queue, desk)
    queue.due = [f"p{number}" for number in range(50)]
    assert await run(reconciler) == 1
    assert await run(reconciler) == 0
    time.now += 0.9
    assert await run(reconciler) == 0
    time.now += 0.1
    assert await run(reconciler) == 1
    assert queue.limits == [1, 1]


async def test_nine_failures_are_not_enough(
    reconciler: Reconciler, queue: Queue, desk: Desk, time: Time
) -> None:
    await fail(reconciler, queue, desk, times=9)
    queue.due = ["p1", "p2"]
    assert await run(reconciler) == 2


async def test_once_seqr_is_back_all_that_is_due_is_asked_at_once(
    reconciler: Reconciler, queue: Queue, desk: Desk, time: Time
) -> None:
    await fail(reconciler, queue, desk, times=30)
    desk.reached = True
    queue.due = [f"p{number}" for number in range(50)]
    assert await run(reconciler) == 1
    assert await run(reconciler) == 49


@pytest.mark.parametrize("away", [False, True])
async def test_when_seqr_is_back_those_that_wait_are_made_due_once(
    reconciler: Reconciler, queue: Queue, desk: Desk, time: Time, away: bool
) -> None:
    await fail(reconciler, queue, desk, times=30)
    assert queue.wakings == 0
    desk.reached, queue.away = True, away
    queue.due = [f"p{number}" for number in range(50)]
    await run(reconciler)
    await run(reconciler)
    assert len(desk.checked) == 50, "also when the database has gone away in that moment"
    assert queue.wakings == 1


async def test_an_outage_is_told_once_and_so_is_its_end(
    reconciler: Reconciler, queue: Queue, desk: Desk, time: Time
) -> None:
    queue.away = True
    with capture_logs() as told:
        await fail(reconciler, queue, desk)
        desk.reached = True
        queue.due = ["p1"]
        await run(reconciler)
    down = {"event": "seqr.down", "log_level": "warning", "failures": 10}
    assert told == [down, {"event": "seqr.back", "log_level": "info", "woken": 0}]
    assert queue.wakings == 1


async def test_a_few_failures_are_no_outage(reconciler: Reconciler, queue: Queue, desk: Desk) -> None:
    await fail(reconciler, queue, desk, times=9)
    desk.reached = True
    queue.due = ["p1"]
    await run(reconciler)
    assert queue.wakings == 0


async def test_a_check_that_asked_nobody_says_nothing_about_seqr(
    reconciler: Reconciler, queue: Queue, desk: Desk, time: Time
) -> None:
    await fail(reconciler, queue, desk)
    desk.reached = None
    queue.due = [f"p{number}" for number in range(50)]
    assert await run(reconciler) == 1
    assert await run(reconciler) == 0
    time.now += 1
    assert await run(reconciler) == 1
    assert queue.wakings == 0


async def test_one_answer_in_between_starts_the_count_anew(
    reconciler: Reconciler, queue: Queue, desk: Desk, time: Time
) -> None:
    for _ in range(3):
        await fail(reconciler, queue, desk, times=9)
        desk.reached = True
        queue.due = ["fine"]
        await run(reconciler)
    queue.due = ["p1", "p2"]
    assert await run(reconciler) == 2


async def test_checks_that_asked_nobody_are_no_failures(
    reconciler: Reconciler, queue: Queue, desk: Desk, time: Time
) -> None:
    desk.reached = None
    for _ in range(2):
        queue.due = [f"p{number}" for number in range(50)]
        assert await run(reconciler) == 50


async def test_what_was_claimed_is_left_when_seqr_turns_out_to_be_down(
    reconciler: Reconciler, queue: Queue, desk: Desk
) -> None:
    desk.reached = False
    queue.due = [f"p{number}" for number in range(150)]
    begun = await run(reconciler)
    assert SLOTS <= begun < 150
    assert len(desk.checked) == begun
