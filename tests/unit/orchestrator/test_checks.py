"""Background checks: one at a time for each purchase, none forgotten, no failure that spreads."""

from __future__ import annotations

import asyncio

from orchestrator.checks import BackgroundChecks
from tests.fixtures.sandbox import until


class Desk:
    """Somebody who checks purchases, each until ``go`` is set."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, str]] = []
        self.ended: list[str] = []
        self.at_once: dict[str, int] = {}
        self.most_at_once = 0
        self.go = asyncio.Event()
        self.breaks: set[str] = set()

    async def check(self, purchase_id: str, actor: str) -> None:
        self.begun.append((purchase_id, actor))
        self.at_once[purchase_id] = self.at_once.get(purchase_id, 0) + 1
        self.most_at_once = max(self.most_at_once, self.at_once[purchase_id])
        await self.go.wait()
        self.at_once[purchase_id] -= 1
        self.ended.append(purchase_id)
        if purchase_id in self.breaks:
            raise RuntimeError("broken")


async def test_many_wishes_during_a_check_become_one_more_check_after_it() -> None:
    desk = Desk()
    checks = BackgroundChecks(desk.check, pause=0)
    checks.soon("a", "notification")
    await until(lambda: desk.begun == [("a", "notification")])
    for number in range(5):
        checks.soon("a", f"wish {number}")
    desk.go.set()
    await checks.close()
    assert desk.begun == [("a", "notification"), ("a", "wish 4")]
    assert desk.most_at_once == 1


async def test_purchases_do_not_wait_for_each_other() -> None:
    desk = Desk()
    checks = BackgroundChecks(desk.check, pause=0)
    for name in "abc":
        checks.soon(name, "notification")
    await until(lambda: len(desk.begun) == 3)
    desk.go.set()
    await checks.close()
    assert sorted(desk.ended) == ["a", "b", "c"]


async def test_a_check_that_breaks_is_over_and_the_next_one_runs() -> None:
    desk = Desk()
    desk.breaks = {"a"}
    desk.go.set()
    checks = BackgroundChecks(desk.check, pause=0)
    checks.soon("a", "first")
    checks.soon("a", "again")
    checks.soon("b", "other")
    await checks.close()
    assert sorted(desk.begun) == [("a", "again"), ("a", "first"), ("b", "other")]
    desk.breaks = set()
    checks.soon("a", "later")
    await checks.close()
    assert desk.begun[-1] == ("a", "later")


async def test_closing_waits_for_what_was_asked_for_meanwhile() -> None:
    desk = Desk()
    checks = BackgroundChecks(desk.check, pause=0)
    checks.soon("a", "first")
    await until(lambda: len(desk.begun) == 1)
    checks.soon("a", "second")
    closing = asyncio.create_task(checks.close())
    await asyncio.sleep(0)
    assert not closing.done()
    desk.go.set()
    await closing
    assert desk.ended == ["a", "a"]


async def test_repeated_wishes_come_with_a_pause_between_them() -> None:
    desk = Desk()
    desk.go.set()
    checks = BackgroundChecks(desk.check, pause=0.1)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while loop.time() < begun + 0.35:
        checks.soon("a", "notification")
        await asyncio.sleep(0.005)
    assert 3 <= len(desk.begun) <= 5
    checks.soon("a", "last")
    await checks.close()
    assert desk.begun[-1] == ("a", "last"), "a stop waits for no pause, and forgets nothing"


async def test_it_is_known_that_a_check_is_still_to_come() -> None:
    desk = Desk()
    checks = BackgroundChecks(desk.check, pause=0)
    checks.soon("a", "first")
    assert not checks.will_run_again("a"), "it may have asked too early"
    checks.soon("a", "second")
    assert checks.will_run_again("a")
    assert not checks.will_run_again("b")
    desk.go.set()
    await checks.close()
    assert not checks.will_run_again("a")


async def test_a_check_ends_without_a_trace() -> None:
    desk = Desk()
    desk.go.set()
    checks = BackgroundChecks(desk.check, pause=0)
    checks.soon("a", "notification")
    (task,) = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait_for(task, 10)
    checks.soon("a", "once more")
    assert not checks.will_run_again("a"), "it is not taken for one that is under way"
    await checks.close()
    assert desk.begun == [("a", "notification"), ("a", "once more")]
