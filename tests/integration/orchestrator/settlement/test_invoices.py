"""A purchase with more than one invoice: the earlier ones are watched until SEQR has closed them."""

from __future__ import annotations

import asyncio

from orchestrator import issuing
from orchestrator.stamp import Stamp
from statemachine import Action
from tests.fixtures.desk import Desk
from tests.fixtures.seqr import busy, unknown
from tests.fixtures.shop import until


async def failed(desk: Desk, status: str = "CANCELED") -> str:
    """A purchase whose first invoice was closed."""
    purchase_id = await desk.buy()
    desk.seqr.says("R1", status)
    await desk.tick(2)
    assert (await desk.only())["state"] == "failed"
    return purchase_id


async def _sent(desk: Desk, count: int) -> bool:
    return len(desk.seqr.sent) == count


async def test_a_superseded_invoice_that_is_paid_is_found(desk: Desk) -> None:
    """Cancelled before its invoice came, started over: the first invoice arrives last, and is paid."""
    desk.seqr.hold("sendInvoice")
    ordering = asyncio.create_task(desk.buy())
    await until(lambda: _sent(desk, 1))
    purchase_id = (await desk.only())["id"]
    await desk.act(purchase_id, Action.CANCEL)
    late = desk.seqr.forget("sendInvoice")
    desk.clock.turn(1)
    await desk.act(purchase_id, Action.RETRY)
    assert (await desk.only())["invoice_reference"] == "R2"
    late.set()
    await asyncio.gather(ordering, return_exceptions=True)
    desk.seqr.pay("R1")
    await desk.tick(2)
    await desk.tick(2)
    purchase = await desk.only()
    assert (purchase["state"], purchase["invoice_reference"]) == ("stocked", "R1")
    assert desk.seqr.books["R2"].status == "CANCELED", "nobody shall pay twice"
    assert {row["state"] for row in await desk.attempts()} == {"closed"}
    assert (await desk.only())["next_check_at"] is None


async def test_a_second_invoice_that_is_paid_too_asks_for_a_refund_whatever_happens(desk: Desk) -> None:
    purchase_id = await failed(desk)
    await desk.act(purchase_id, Action.RETRY)
    desk.seqr.pay("R2")
    desk.seqr.pay("R1")
    await desk.empty_shelf()
    await desk.tick(2)
    assert (await desk.only())["state"] == "paid"
    for _ in range(2):
        await desk.act(purchase_id, Action.CHECK)
    assert (await desk.story(purchase_id)).count("attention") == 2, "told once, however often it is asked"
    attention = (await desk.only())["attention"]
    assert "Invoice R1 was paid too: refund" in attention
    assert "the stock lacks 1 × mug" in attention
    await desk.restock(1)
    await desk.tick()
    purchase = await desk.only()
    assert (purchase["state"], purchase["invoice_reference"], purchase["ers_reference"]) == (
        "stocked",
        "R2",
        "E-R2",
    )
    assert purchase["attention"] == "Invoice R1 was paid too: refund what was paid twice."
    assert await desk.stock() == (0, 0)


async def test_a_payment_of_the_old_invoice_after_delivery_of_the_new_asks_for_a_refund(desk: Desk) -> None:
    """R1 came late, its cancel is under way; both are paid."""
    desk.seqr.hold("sendInvoice")
    ordering = asyncio.create_task(desk.buy())
    await until(lambda: _sent(desk, 1))
    purchase_id = (await desk.only())["id"]
    await desk.act(purchase_id, Action.CANCEL)
    late = desk.seqr.forget("sendInvoice")
    desk.clock.turn(1)
    await desk.act(purchase_id, Action.RETRY)
    late.set()
    await asyncio.gather(ordering, return_exceptions=True)
    desk.seqr.always("cancelInvoice", busy(51))
    desk.seqr.pay("R2")
    await desk.tick(2)
    assert (await desk.only())["state"] == "stocked"
    desk.seqr.pay("R1")
    await desk.tick(4)
    purchase = await desk.only()
    assert (purchase["state"], purchase["invoice_reference"]) == ("stocked", "R2")
    assert purchase["attention"] == "Invoice R1 was paid too: refund what was paid twice."
    assert purchase["next_check_at"] is None
    assert await desk.stock() == (9, 0)


async def test_an_earlier_invoice_paid_while_starting_over_settles_it_once(desk: Desk) -> None:
    purchase_id = await failed(desk, "FAILED")
    desk.seqr.then("sendInvoice", busy())
    await desk.act(purchase_id, Action.RETRY)
    desk.seqr.pay("R1")
    await desk.settlement.notified(purchase_id, "127.0.0.1")
    await desk.settlement.close()
    assert await desk.state() == ("stocked", None)
    assert (await desk.only())["invoice_reference"] == "R1"
    assert await desk.stock() == (9, 0)
    await desk.tick(60)
    assert await desk.stock() == (9, 0)


async def test_an_invoice_from_before_a_new_start_is_asked_about_all_the_while(desk: Desk) -> None:
    desk.seqr.hold("sendInvoice")
    ordering = asyncio.create_task(desk.buy())
    await until(lambda: _sent(desk, 1))
    purchase_id = (await desk.only())["id"]
    await desk.act(purchase_id, Action.CANCEL)
    late = desk.seqr.forget("sendInvoice")
    late.set()
    await asyncio.gather(ordering, return_exceptions=True)
    desk.seqr.always("cancelInvoice", busy(51))
    desk.seqr.then("sendInvoice", unknown())
    desk.clock.turn(1)
    await desk.act(purchase_id, Action.RETRY)
    purchase = await desk.only()
    assert purchase["state"] == "received"
    assert (purchase["next_check_at"] - desk.clock()).total_seconds() <= 2
    desk.seqr.pay("R1")
    await desk.tick(2)
    assert await desk.state() == ("stocked", None)
    assert (await desk.only())["invoice_reference"] == "R1"


async def test_a_check_that_comes_too_late_sends_nothing(desk: Desk) -> None:
    purchase_id = await desk.buy()
    stamp = Stamp("reconciler", desk.clock())
    assert await desk.database.write(issuing.begin_next, purchase_id, desk.parts.settings, stamp) is None
    assert len(await desk.attempts()) == 1
