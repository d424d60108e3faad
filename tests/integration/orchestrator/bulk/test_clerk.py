"""The clerk: every item acted on and recorded, whatever goes wrong in between."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from orchestrator import bulk
from orchestrator.bulk import ItemState, Seen, Task
from orchestrator.clerk import LANES, Clerk
from orchestrator.database import Database, DatabaseUnavailable, open_database
from orchestrator.identity import now
from orchestrator.purchase import load
from orchestrator.stamp import Stamp
from statemachine import Action, NotAllowed
from tests.fixtures.bulk import begin, items, run_of
from tests.fixtures.dashboard import place
from tests.fixtures.desk import BENGT, MUG, OPERATOR, Desk
from tests.fixtures.seqr import busy, refused
from tests.fixtures.shop import until


class Hands:
    """Acts as the test decides: ``troubles`` come first, ``gate`` holds back."""

    def __init__(self, *troubles: Exception | bool | None) -> None:
        self.troubles = list(troubles)
        self.acted: list[str] = []
        self.at_once = self.most_at_once = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def act(
        self, purchase_id: str, action: Action, actor: str, seen: int | None = None, why: str = ""
    ) -> bool | None:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await self.gate.wait()
            self.acted.append(purchase_id)
            trouble = self.troubles.pop(0) if self.troubles else None
            if isinstance(trouble, Exception):
                raise trouble
            return trouble
        finally:
            self.at_once -= 1


async def through(clerk: Clerk) -> None:
    """Everything that is due now."""
    await clerk.run_once()
    await clerk.idle()


async def chosen(database: Database, number: int) -> list[Seen]:
    return [Seen(await database.write(place, "invoiced"), 2) for _ in range(number)]


async def outcomes(database: Database) -> list[tuple[str, str]]:
    return [(row["state"], row["outcome"]) for row in await items(database)]


async def bought(desk: Desk, number: int = 2) -> list[Seen]:
    """Invoiced purchases, as an operator sees them."""
    ids = []
    for order in (MUG, BENGT)[:number]:
        desk.clock.turn(1)  # the ids sort by time
        ids.append(await desk.buy(order))
    return [Seen(id_, (await desk.database.read(load, id_)).revision) for id_ in ids]


async def test_a_run_is_worked_through_and_the_journal_names_the_operator(desk: Desk) -> None:
    run_id = await begin(desk.database, await bought(desk), actor=OPERATOR)
    await through(Clerk(desk.database, desk.settlement, desk.clock))
    assert await outcomes(desk.database) == [("done", "failed")] * 2
    assert (await run_of(desk.database, run_id))["state"] == "done"
    for purchase in await desk.purchases():
        assert purchase["reason"] == "cancelled_by_merchant"
        assert (await desk.actors(purchase["id"]))[-1] == OPERATOR


async def test_what_its_state_forbids_is_refused_with_the_reason(database: Database, desk: Desk) -> None:
    paid = await database.write(place, "paid")
    run_id = await begin(database, [Seen(paid, 3)])
    await through(Clerk(database, desk.settlement))
    words = "It is paid: cancelling would keep the customer's money. Refund it."
    assert await outcomes(database) == [("refused", words)]
    assert (await run_of(database, run_id))["state"] == "done"


async def test_a_check_that_seqr_would_not_answer_is_not_called_done(desk: Desk) -> None:
    (seen,) = await bought(desk, 1)
    desk.seqr.always("getPaymentStatus", refused(54, "no such invoice"))
    await begin(desk.database, [seen], action=Action.CHECK)
    await through(Clerk(desk.database, desk.settlement, desk.clock))
    words = "SEQR refuses to tell about invoice R1: refused."
    assert await outcomes(desk.database) == [("refused", words)]


async def test_what_has_changed_since_the_dry_run_is_refused(desk: Desk) -> None:
    (seen,) = await bought(desk, 1)
    await begin(desk.database, [replace(seen, revision=seen.revision - 1)])
    await through(Clerk(desk.database, desk.settlement, desk.clock))
    ((state, words),) = await outcomes(desk.database)
    assert state == "refused"
    assert "has changed since it was looked at" in words
    assert (await desk.only())["state"] == "invoiced"


async def test_an_action_that_was_done_before_a_crash_is_recorded_as_done(desk: Desk) -> None:
    """Killed between acting and recording. The revision keeps it from happening twice."""
    (seen,) = await bought(desk, 1)
    await begin(desk.database, [seen], actor=OPERATOR)
    task = await desk.database.write(bulk.claim, desk.clock())
    assert task is not None
    await desk.settlement.act(task.purchase_id, task.action, task.actor, seen=task.revision)
    story = await desk.story(seen.purchase_id)
    survivor = Clerk(desk.database, desk.settlement, desk.clock)
    await through(survivor)
    assert await outcomes(desk.database) == [("waiting", "")]
    desk.clock.turn(bulk.LEASE.total_seconds())
    await through(survivor)
    assert await outcomes(desk.database) == [("done", "failed")]
    assert await desk.story(seen.purchase_id) == story
    assert len(desk.seqr.called("cancelInvoice")) == 1


async def test_a_retry_is_not_repeated_after_a_crash(desk: Desk) -> None:
    (seen,) = await bought(desk, 1)
    desk.seqr.says("R1", "CANCELED")
    await desk.tick(2)
    failed = Seen(seen.purchase_id, (await desk.only())["revision"])
    await begin(desk.database, [failed], Action.RETRY, actor=OPERATOR)
    task = await desk.database.write(bulk.claim, desk.clock())
    assert task is not None
    await desk.settlement.act(task.purchase_id, task.action, task.actor, seen=task.revision)
    desk.clock.turn(bulk.LEASE.total_seconds())
    await through(Clerk(desk.database, desk.settlement, desk.clock))
    assert await outcomes(desk.database) == [("done", "invoiced")]
    assert len(desk.seqr.sent) == 2
    assert await desk.mails() == ["payment_link"]


async def test_somebody_elses_change_after_a_crash_is_no_success(desk: Desk) -> None:
    (seen,) = await bought(desk, 1)
    await begin(desk.database, [seen], actor="operator:olle")
    await desk.database.write(bulk.claim, desk.clock())
    await desk.settlement.act(seen.purchase_id, Action.CANCEL, "operator:ada")
    desk.clock.turn(bulk.LEASE.total_seconds())
    await through(Clerk(desk.database, desk.settlement, desk.clock))
    ((state, words),) = await outcomes(desk.database)
    assert (state, "operator:ada" in words) == ("refused", True)


async def test_an_item_that_kills_its_process_each_time_is_given_up(desk: Desk) -> None:
    await begin(desk.database, await bought(desk, 1))
    for _ in range(bulk.MOST_TRIES):
        assert await desk.database.write(bulk.claim, desk.clock()) is not None
        desk.clock.turn(bulk.LEASE.total_seconds())
    await through(Clerk(desk.database, desk.settlement, desk.clock))
    ((state, words),) = await outcomes(desk.database)
    assert (state, "each time the process stopped" in words) == ("failed", True)
    assert (await desk.only())["state"] == "invoiced"


@pytest.mark.parametrize("trouble", [DatabaseUnavailable("It is away."), False])
async def test_what_may_go_better_is_tried_again_later(desk: Desk, trouble: Exception | bool) -> None:
    await begin(desk.database, await chosen(desk.database, 1), Action.CHECK)
    hands = Hands(trouble, trouble)
    clerk = Clerk(desk.database, hands, desk.clock)
    for acted in (1, 2):
        await through(clerk)
        await through(clerk)
        assert len(hands.acted) == acted
        desk.clock.turn(bulk.PAUSE.total_seconds() * acted)
    await through(clerk)
    assert await outcomes(desk.database) == [("done", "invoiced")]


async def test_after_three_tries_it_has_failed(desk: Desk) -> None:
    desk.seqr.always("getPaymentStatus", busy())
    run_id = await begin(desk.database, await bought(desk, 1), Action.CHECK)
    clerk = Clerk(desk.database, desk.settlement, desk.clock)
    for _ in range(bulk.MOST_TRIES):
        await through(clerk)
        desk.clock.turn(60)
    assert await outcomes(desk.database) == [("failed", "SEQR did not answer. Try again when it does.")]
    assert len(desk.seqr.called("getPaymentStatus")) == bulk.MOST_TRIES
    assert (await run_of(desk.database, run_id))["state"] == "done"


async def test_a_bug_fails_the_item_and_not_the_run(database: Database) -> None:
    await begin(database, await chosen(database, 2))
    await through(Clerk(database, Hands(ZeroDivisionError()), lanes=1))
    (first, second) = await outcomes(database)
    assert first == ("failed", "Something went wrong that nobody thought of. The log has it.")
    assert second == ("done", "invoiced")


async def test_a_refusal_without_a_change_of_ours_stays_one(desk: Desk) -> None:
    await begin(desk.database, await chosen(desk.database, 1))
    hands = Hands(False, NotAllowed("cancel", "invoiced", "Not now."))
    clerk = Clerk(desk.database, hands, desk.clock)
    await through(clerk)
    desk.clock.turn(60)
    await through(clerk)
    assert await outcomes(desk.database) == [("refused", "Not now.")]


async def test_it_has_few_items_in_hand_at_a_time(database: Database) -> None:
    await begin(database, await chosen(database, LANES + 4))
    hands = Hands()
    hands.gate.clear()
    clerk = Clerk(database, hands)
    assert await clerk.run_once() == LANES
    assert await clerk.run_once() == 0
    hands.gate.set()
    await clerk.idle()
    assert hands.most_at_once == LANES
    assert len(set(hands.acted)) == LANES + 4


async def test_two_processes_share_a_run(database: Database, database_url: str) -> None:
    seen = await chosen(database, 30)
    run_id = await begin(database, seen)
    other = open_database(database_url)
    hands = Hands()
    clerks = [Clerk(each, hands, lanes=3) for each in (database, other)]
    await asyncio.gather(*(through(clerk) for clerk in clerks))
    await other.close()
    assert sorted(hands.acted) == sorted(one.purchase_id for one in seen)
    assert (await run_of(database, run_id))["state"] == "done"


async def test_stop_ends_what_was_begun_and_nothing_more(database: Database) -> None:
    run_id = await begin(database, await chosen(database, 5))
    hands = Hands()
    hands.gate.clear()
    clerk = Clerk(database, hands, lanes=2)
    await clerk.run_once()
    await database.write(bulk.stop, run_id, Stamp("operator:ada", now()))
    hands.gate.set()
    await clerk.idle()
    assert sorted(state for state, _ in await outcomes(database)) == ["done", "done", "left", "left", "left"]
    assert (await run_of(database, run_id))["state"] == "stopped"


async def test_a_process_that_stops_ends_what_it_has_in_hand(database: Database) -> None:
    await begin(database, await chosen(database, 3))
    hands = Hands()
    hands.gate.clear()
    clerk = Clerk(database, hands, lanes=2)
    await clerk.run_once()
    closing = asyncio.create_task(clerk.close())
    await asyncio.sleep(0)
    hands.gate.set()
    await closing
    assert sorted(state for state, _ in await outcomes(database)) == ["done", "done", "waiting"]
    assert await clerk.run_once() == 0


async def test_a_database_that_goes_away_ends_the_lane_and_the_lease_does_the_rest(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begin(desk.database, await chosen(desk.database, 1))

    def away(*_: Any) -> None:
        raise DatabaseUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(bulk, "record", away)
        await through(Clerk(desk.database, Hands(), desk.clock))
    assert await outcomes(desk.database) == [("waiting", "")]
    desk.clock.turn(bulk.LEASE.total_seconds())
    await through(Clerk(desk.database, Hands(), desk.clock))
    assert await outcomes(desk.database) == [("done", "invoiced")]


async def test_a_run_whose_last_item_was_recorded_by_a_dying_process_ends(database: Database) -> None:
    run_id = await begin(database, await chosen(database, 1))
    task = await database.write(bulk.claim, now())
    assert isinstance(task, Task)
    await database.write(bulk.record, task, ItemState.DONE, "failed")
    clerk = Clerk(database, Hands())

    async def ended() -> bool:
        await clerk.run_once()
        return bool((await run_of(database, run_id))["state"] == "done")

    await until(ended)
