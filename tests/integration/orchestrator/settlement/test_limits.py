"""To the second: when an order is given up, an invoice expires, and SEQR is asked again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from orchestrator import attempt, issuing, outcome, watch
from orchestrator.sending import SeqrUnavailable
from orchestrator.seqr.messages import Outcome
from orchestrator.stamp import Stamp
from orchestrator.tables import purchases
from statemachine import Action
from tests.fixtures.desk import BENGT, MUG, Desk, started_over
from tests.fixtures.seqr import answered, busy, refused, unknown
from tests.fixtures.shop import settings as shop_settings


async def due(desk: Desk) -> list[str]:
    claimed = await desk.database.write(watch.claim, desk.parts.settings, desk.clock(), 200)
    return [found.purchase.id for found in claimed]


async def wait(desk: Desk) -> float:
    """Seconds until the one purchase is looked at next."""
    return float(((await desk.only())["next_check_at"] - desk.clock()).total_seconds())


async def plan(desk: Desk, seconds: float, **changes: Any) -> None:
    """Have the one purchase looked at in so many seconds."""
    values = {"next_check_at": desk.clock() + timedelta(seconds=seconds), **changes}
    await desk.database.write(lambda connection: connection.execute(update(purchases).values(**values)))


async def not_invoiced(desk: Desk) -> str:
    """An order that SEQR had no time for."""
    with pytest.raises(SeqrUnavailable):
        await desk.buy()
    return str((await desk.only())["id"])


async def lost(desk: Desk) -> str:
    """A failed purchase whose invoice SEQR did not know."""
    purchase_id = await desk.buy()
    for operation in ("getPaymentStatus", "cancelInvoice"):
        desk.seqr.always(operation, refused(54))
    await desk.act(purchase_id, Action.CANCEL)
    assert (await desk.only())["state"] == "failed"
    return purchase_id


async def test_an_order_is_given_up_when_its_time_is_over_and_not_a_second_later(desk: Desk) -> None:
    desk.seqr.always("sendInvoice", busy())
    purchase_id = await not_invoiced(desk)
    desk.clock.turn(900)
    await desk.settlement.check(purchase_id, "reconciler")
    assert await desk.state() == ("failed", "seqr_unreachable")


async def test_an_invoice_expires_when_its_time_is_over_and_not_a_second_later(desk: Desk) -> None:
    await desk.buy()
    await desk.tick(900)
    assert await desk.state() == ("failed", "expired")


async def test_an_invoice_lives_from_when_it_was_issued(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", busy())
    purchase_id = await not_invoiced(desk)
    await desk.tick(600)
    assert (await desk.attempts())[1]["issued_at"] == desk.clock()
    desk.clock.turn(899)
    await desk.settlement.check(purchase_id, "reconciler")
    assert await desk.state() == ("invoiced", None)
    desk.clock.turn(1)
    await desk.settlement.check(purchase_id, "reconciler")
    assert await desk.state() == ("failed", "expired")


async def test_a_lost_invoice_is_sought_for_an_hour(desk: Desk) -> None:
    purchase_id = await lost(desk)
    assert await wait(desk) == 60
    closed_at = desk.clock()
    desk.clock.turn(3599)
    (found,) = await desk.database.read(attempt.of_purchase, purchase_id)
    assert found.is_sought(desk.clock())
    assert not found.is_sought(closed_at + timedelta(hours=1))
    await desk.database.write(watch.rest, purchase_id, desk.clock())
    assert (await desk.only())["next_check_at"] is not None
    await desk.database.write(watch.rest, purchase_id, desk.clock.turn(1))
    assert (await desk.only())["next_check_at"] is None


@pytest.mark.parametrize(("state", "furthest"), [("invoiced", 12), ("failed", 75), ("received", 75)])
async def test_what_lies_further_ahead_than_anything_is_planned_is_due(
    desk: Desk, state: str, furthest: float
) -> None:
    purchase_id = await desk.buy()
    reason = "expired" if state == "failed" else None
    await plan(desk, furthest, state=state, reason=reason)
    assert await due(desk) == []
    await plan(desk, furthest + 0.1, state=state, reason=reason)
    assert await due(desk) == [purchase_id]


async def test_what_is_due_now_is_due(desk: Desk) -> None:
    purchase_id = await desk.buy()
    await plan(desk, 0)
    assert await due(desk) == [purchase_id]


async def test_an_invoice_is_fresh_for_three_minutes(desk: Desk) -> None:
    await desk.buy()
    desk.clock.turn(179)
    await due(desk)
    assert await wait(desk) == 2
    desk.clock.turn(1)
    await plan(desk, 0)
    await due(desk)
    assert await wait(desk) == 4


@pytest.mark.parametrize(("poll_interval", "waits"), [(2.0, [2, 2, 2]), (0.25, [0.25, 0.5, 1, 2, 2])])
async def test_while_seqr_fails_it_is_asked_less_often_up_to_every_two_seconds(
    desk: Desk, poll_interval: float, waits: list[float]
) -> None:
    """A payment of a moment before SEQR went away must be asked about in its 20 seconds."""
    await desk.buy()
    (row,) = await desk.attempts()
    for seconds in waits:
        stamp, found = Stamp("reconciler", desk.clock()), shop_settings(poll_interval=poll_interval)
        await desk.database.write(outcome.record_status, row["id"], unknown(), found, stamp)
        assert await wait(desk) == seconds
        desk.clock.turn(seconds)


@pytest.mark.parametrize("answer", [unknown(), busy(), refused(21)])
async def test_a_check_that_told_nothing_is_repeated_two_seconds_after_its_end(
    desk: Desk, answer: Outcome[Any]
) -> None:
    await desk.buy()
    await due(desk)
    await plan(desk, 60)
    desk.seqr.then("getPaymentStatus", answer)
    await desk.settlement.check((await desk.only())["id"], "reconciler")
    assert await wait(desk) == 2


@pytest.mark.parametrize("answer", [unknown(), busy()])
async def test_a_cancel_that_was_not_answered_is_followed_up_in_two_seconds(
    desk: Desk, answer: Outcome[Any]
) -> None:
    purchase_id = await desk.buy()
    desk.clock.turn(1)
    desk.seqr.then("cancelInvoice", answer)
    await desk.act(purchase_id, Action.CANCEL)
    assert await wait(desk) == 2


async def test_that_it_was_paid_when_it_should_be_cancelled_is_followed_up_at_once(desk: Desk) -> None:
    """Should the process die before it has asked, the next one does."""
    purchase_id = await desk.buy()
    (row,) = await desk.attempts()
    stamp = Stamp("operator:eva", desk.clock())
    await desk.database.write(outcome.record_cancel, row["id"], refused(50), desk.parts.settings, stamp)
    assert await due(desk) == [purchase_id]


async def test_a_late_invoice_of_a_cancelled_order_is_closed_at_once(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", unknown())
    purchase_id = await not_invoiced(desk)
    await desk.act(purchase_id, Action.CANCEL)
    (row,) = await desk.attempts()
    stamp, answer = Stamp("customer", desk.clock()), await desk.seqr.send_invoice(desk.seqr.sent[0])
    await desk.database.write(issuing.record_sent, row["id"], answer, desk.parts.settings, stamp)
    assert await due(desk) == [purchase_id]


async def test_an_order_that_is_sent_again_waits_longer_each_time_although_it_was_started_over(
    desk: Desk,
) -> None:
    """Nothing of before can be paid any more, so nothing has to be asked about meanwhile."""
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "CANCELED")
    await desk.tick(2)
    desk.seqr.always("sendInvoice", busy())
    await desk.act(purchase_id, Action.RETRY)
    waits = []
    for _ in range(3):
        waits.append(await wait(desk))
        await desk.tick(waits[-1])
    assert waits == [2, 4, 8]


async def test_a_lost_invoice_does_not_put_off_the_new_one(desk: Desk) -> None:
    purchase_id = await lost(desk)
    desk.seqr.always("sendInvoice", busy())
    await desk.act(purchase_id, Action.RETRY)
    await desk.act(purchase_id, Action.CHECK)
    assert await wait(desk) == 4


async def test_a_stocked_purchase_rests_as_soon_as_its_last_invoice_is_closed(desk: Desk) -> None:
    purchase_id = await started_over(desk)
    desk.seqr.pay("R2")
    first, second = await desk.attempts()
    stamp, record, found = Stamp("reconciler", desk.clock()), outcome.record_status, desk.parts.settings
    await desk.database.write(record, second["id"], answered(desk.seqr.books["R2"]), found, stamp)
    assert (await desk.only())["state"] == "stocked"
    assert await due(desk) == [purchase_id], "the first invoice is open yet"
    await desk.database.write(record, first["id"], answered(desk.seqr.books["R1"]), found, stamp)
    assert (await desk.only())["next_check_at"] is None


async def test_one_purchase_is_at_rest_whatever_others_wait_for(desk: Desk) -> None:
    first = await desk.buy(MUG)
    desk.clock.turn(1)
    second = await desk.buy(BENGT)
    await desk.act(first, Action.CANCEL)
    planned = {row["id"]: row["next_check_at"] for row in await desk.purchases()}
    assert planned == {first: None, second: desk.clock() + timedelta(seconds=2)}
    await desk.database.write(watch.rest, first, desk.clock())
    assert {row["id"]: row["next_check_at"] for row in await desk.purchases()} == planned


async def test_a_call_about_a_purchase_that_is_over_leaves_it_at_rest(desk: Desk) -> None:
    purchase_id = await desk.buy()
    await desk.act(purchase_id, Action.CANCEL)
    desk.seqr.always("getPaymentStatus", refused(21))
    await desk.settlement.notified(purchase_id, "127.0.0.1")
    await desk.settlement.close()
    assert (await desk.only())["next_check_at"] is None


async def test_what_has_no_invoice_yet_never_rests(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", busy())
    purchase_id = await not_invoiced(desk)
    await desk.database.write(watch.rest, purchase_id, desk.clock())
    assert await wait(desk) == 1


async def test_when_seqr_is_back_only_what_it_did_not_answer_about_is_hurried(desk: Desk) -> None:
    for order in (MUG, BENGT):
        await desk.buy(order)
        desk.clock.turn(0.1)

    def first_failed(connection: Connection) -> None:
        failed = update(purchases).where(purchases.c.customer_name == MUG.name)
        connection.execute(failed.values(checks_failed=1))

    await desk.database.write(first_failed)
    assert await desk.database.write(watch.wake_unanswered, desk.clock()) == 1
    assert [row["next_check_at"] == desk.clock() for row in await desk.purchases()] == [True, False]
    assert await desk.database.write(watch.wake_unanswered, desk.clock()) == 0, "it is due already"


async def test_the_called_come_first_then_those_whose_time_began_last(desk: Desk) -> None:
    """A purchase that was started over is young again."""
    ids = []
    for order in (MUG, BENGT, replace(MUG, name="Cia"), replace(MUG, name="Dan")):
        ids.append(await desk.buy(order))
        desk.clock.turn(0.1)
    await desk.act(ids[1], Action.CANCEL)
    await desk.act(ids[1], Action.RETRY)
    await desk.database.write(watch.told, ids[0], "127.0.0.1", desk.clock())
    desk.clock.turn(2)
    assert await due(desk) == [ids[0], ids[1], ids[3], ids[2]]
