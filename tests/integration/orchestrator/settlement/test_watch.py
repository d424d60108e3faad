"""What is due: claimed once, by whoever comes first, and due again should the claimer die."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest

from orchestrator import outcome as outcomes
from orchestrator import watch
from orchestrator.database import open_database
from orchestrator.seqr.messages import Outcome, PaymentStatus
from orchestrator.stamp import Stamp
from tests.fixtures.desk import MUG, Desk
from tests.fixtures.seqr import busy, refused, unknown


async def due(desk: Desk, limit: int = 200) -> list[str]:
    claimed = await desk.database.write(watch.claim, desk.parts.settings, desk.clock(), limit)
    return [found.purchase.id for found in claimed]


async def buyers(desk: Desk, count: int) -> None:
    for number in range(count):
        await desk.settlement.place(replace(MUG, name=f"Customer {number}"))


async def test_an_invoice_is_due_after_the_poll_interval_and_again_if_nobody_answers(desk: Desk) -> None:
    purchase_id = await desk.buy()
    assert await due(desk) == []
    desk.clock.turn(2)
    assert await due(desk) == [purchase_id]
    assert await due(desk) == []
    desk.clock.turn(2)
    assert await due(desk) == [purchase_id], "its claimer died"
    assert (await desk.only())["asked_at"] == desk.clock()


async def test_an_invoice_that_has_been_open_for_a_while_is_asked_less_often(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.clock.turn(181)
    assert await due(desk) == [purchase_id]
    desk.clock.turn(3.9)
    assert await due(desk) == []
    desk.clock.turn(0.2)
    assert await due(desk) == [purchase_id]


@pytest.mark.parametrize("outcome", [unknown(), busy(), refused(21)])
async def test_a_call_that_failed_late_does_not_put_off_what_was_planned_meanwhile(
    desk: Desk, outcome: Outcome[PaymentStatus]
) -> None:
    """While SEQR hangs, each check leaves a call that fails seconds later, when SEQR may be back."""
    await desk.buy()
    began = desk.clock.turn(2)
    (attempt,) = await desk.attempts()
    await due(desk)
    desk.clock.turn(8)
    await due(desk)
    planned = (await desk.only())["next_check_at"]
    late = replace(outcome, exchange=replace(outcome.exchange, started_at=began))
    record = outcomes.record_status
    stamp = Stamp("reconciler", desk.clock.turn(1.5))
    await desk.database.write(record, attempt["id"], late, desk.parts.settings, stamp)
    assert (await desk.only())["next_check_at"] == planned


async def told(desk: Desk, purchase_id: str) -> None:
    assert await desk.database.write(watch.told, purchase_id, "192.0.2.1", desk.clock())


async def test_who_was_told_of_a_purchase_has_a_head_start_and_then_it_is_anybodys(desk: Desk) -> None:
    purchase_id = await desk.buy()
    await told(desk, purchase_id)
    desk.clock.turn(0.9)
    assert await due(desk) == [], "who was told of it is asking"
    desk.clock.turn(0.2)
    assert await due(desk) == [purchase_id], "who was told of it has died"


async def test_the_head_start_ends_to_the_microsecond(desk: Desk) -> None:
    """Times are kept as text on SQLite: all have to be written alike to be compared."""
    purchase_id = await desk.buy()
    desk.clock.turn(0.123456)
    await told(desk, purchase_id)
    desk.clock.turn(1)
    assert await due(desk) == [purchase_id]


async def test_repeated_notifications_put_nothing_off(desk: Desk) -> None:
    purchase_id = await desk.buy()
    for _ in range(3):
        await told(desk, purchase_id)
        desk.clock.turn(0.4)
    assert await due(desk) == [purchase_id]


async def test_a_notification_about_a_purchase_at_rest_makes_it_due_again(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "CANCELED")
    await desk.tick(2)
    assert (await desk.only())["next_check_at"] is None
    await told(desk, purchase_id)
    desk.clock.turn(1)
    assert await due(desk) == [purchase_id]


async def test_the_longest_waiting_come_first_and_no_more_than_asked_for(desk: Desk) -> None:
    for number in range(3):
        await desk.settlement.place(replace(MUG, name=f"Customer {number}"))
        desk.clock.turn(0.5)
    desk.clock.turn(2)
    ids = [row["id"] for row in await desk.purchases()]
    assert sorted(await due(desk, 2)) == ids[:2]
    assert await due(desk, 2) == ids[2:]


async def test_two_processes_never_claim_the_same(desk: Desk, database_url: str) -> None:
    await buyers(desk, 10)
    desk.clock.turn(2)
    other = open_database(database_url)
    claims = await asyncio.gather(
        *[
            database.write(watch.claim, desk.parts.settings, desk.clock(), 3)
            for database in (desk.database, other) * 4
        ]
    )
    claimed = [found.purchase.id for claim in claims for found in claim]
    assert len(claimed) == len(set(claimed)) == 10
    await other.close()


async def test_every_open_invoice_is_asked_at_least_every_ten_seconds(desk: Desk) -> None:
    await buyers(desk, 5)
    asked: dict[str, list[float]] = {}
    start = desk.clock()
    for _ in range(40):
        seen = len(desk.seqr.called("getPaymentStatus"))
        await desk.tick(1)
        for reference in desk.seqr.called("getPaymentStatus")[seen:]:
            asked.setdefault(reference, [0.0]).append((desk.clock() - start).total_seconds())
    assert len(asked) == 5
    for times in asked.values():
        assert max(later - earlier for earlier, later in pairwise(times)) <= 10


async def test_a_restful_purchase_is_never_due(desk: Desk) -> None:
    await buyers(desk, 2)
    desk.seqr.pay("R1")
    desk.seqr.says("R2", "CANCELED")
    await desk.tick(2)
    desk.clock.turn(100_000)
    assert await due(desk) == []
