"""A clock that is set back or forward by an hour: no payment waits for it, and none is decided by it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from orchestrator import bulk, outbox, watch
from orchestrator.attempt import LOST_EVERY
from orchestrator.sending import SeqrUnavailable
from orchestrator.stamp import Stamp
from orchestrator.tables import purchases
from statemachine import Action
from tests.fixtures.desk import MUG, Desk
from tests.fixtures.seqr import unknown

HOUR = 3600.0


async def due(desk: Desk, limit: int = 200) -> list[str]:
    claimed = await desk.database.write(watch.claim, desk.parts.settings, desk.clock(), limit)
    return [found.purchase.id for found in claimed]


async def plan(desk: Desk, at: datetime, **changes: Any) -> None:
    """Have the one purchase looked at then."""
    values = {"next_check_at": at, **changes}
    await desk.database.write(lambda connection: connection.execute(update(purchases).values(**values)))


@pytest.mark.parametrize("back", [15, HOUR])
async def test_an_open_invoice_is_due_when_the_clock_was_set_back(desk: Desk, back: float) -> None:
    purchase_id = await desk.buy()
    desk.clock.turn(-back)
    assert await due(desk) == [purchase_id]
    assert await due(desk) == [], "claimed as ever, by the clock as it is now"
    desk.clock.turn(2)
    assert await due(desk) == [purchase_id]


async def test_a_payment_is_learnt_when_the_clock_was_set_back(desk: Desk) -> None:
    await desk.buy()
    desk.seqr.pay("R1")
    await desk.tick(-HOUR)
    assert (await desk.only())["state"] == "stocked"


async def test_an_order_without_an_invoice_is_sent_when_the_clock_was_set_back(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", unknown())
    with pytest.raises(SeqrUnavailable):
        await desk.settlement.place(MUG)
    await desk.tick(-HOUR)
    assert (await desk.only())["state"] == "invoiced"


async def test_an_invoice_that_is_under_way_is_not_sent_twice_for_a_second_on_the_clock(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", unknown())
    with pytest.raises(SeqrUnavailable):
        await desk.settlement.place(MUG)
    await plan(desk, desk.clock.turn(-1))
    await desk.tick()
    assert len(desk.seqr.sent) == 1


async def test_what_is_planned_for_later_by_right_is_not_due(desk: Desk) -> None:
    """A sendInvoice that may hang for a minute, and a lost invoice that is sought."""
    await desk.buy()
    await plan(desk, desk.clock() + timedelta(seconds=61), state="received")
    assert await due(desk) == []
    await plan(desk, desk.clock() + LOST_EVERY, state="failed", reason="expired")
    assert await due(desk) == []
    desk.clock.turn(-60)
    assert len(await due(desk)) == 1


async def test_a_mail_goes_out_when_the_clock_was_set_back(desk: Desk) -> None:
    await desk.buy()
    desk.seqr.pay("R1")
    await desk.tick(2)
    (mail,) = await desk.database.write(outbox.claim, desk.clock(), 10)
    assert await desk.database.write(outbox.claim, desk.clock(), 10) == []
    desk.clock.turn(-HOUR)
    assert [again.message_id for again in await desk.database.write(outbox.claim, desk.clock(), 10)] == [
        mail.message_id
    ]
    assert await desk.database.write(outbox.claim, desk.clock(), 10) == []


async def test_a_bulk_run_goes_on_when_the_clock_was_set_back(desk: Desk) -> None:
    seen = bulk.Seen(await desk.buy(), 2)
    wish = bulk.Wish("a run", Action.CHECK, "", "/purchases")
    await desk.database.write(bulk.begin, wish, [seen], Stamp("operator:eva", desk.clock()))
    assert await desk.database.write(bulk.claim, desk.clock())
    assert await desk.database.write(bulk.claim, desk.clock()) is None
    desk.clock.turn(-HOUR)
    again = await desk.database.write(bulk.claim, desk.clock())
    assert again is not None
    assert again.tries == 2


@pytest.mark.parametrize(("status", "ends"), [("PAID", "stocked"), ("ISSUED", "failed")])
async def test_what_expires_by_a_clock_set_forward_is_seqrs_word(desk: Desk, status: str, ends: str) -> None:
    await desk.buy()
    if status == "PAID":
        desk.seqr.pay("R1")
    await desk.tick(HOUR)
    assert (await desk.only())["state"] == ends
    assert desk.seqr.called("getPaymentStatus") == ["R1"]
    assert desk.seqr.called("cancelInvoice") == ([] if status == "PAID" else ["R1"])


async def test_nothing_expires_by_a_clock_set_forward_while_seqr_is_silent(desk: Desk) -> None:
    await desk.buy()
    desk.seqr.always("getPaymentStatus", unknown())
    desk.seqr.always("cancelInvoice", unknown())
    await desk.tick(HOUR)
    assert (await desk.only())["state"] == "invoiced"
    desk.seqr.always("getPaymentStatus", None)
    desk.seqr.pay("R1")
    await desk.tick(2)
    assert (await desk.only())["state"] == "stocked"
