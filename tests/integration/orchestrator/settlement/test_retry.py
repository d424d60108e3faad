"""Retry in every state, and the new start of a failed purchase."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator import placement
from orchestrator.purchase import OutOfStock, PurchaseUnknown
from orchestrator.sending import InvoiceRefused, SeqrUnavailable
from orchestrator.tables import outbox
from statemachine import Action, NotAllowed
from tests.fixtures.desk import BENGT, MUG, OPERATOR, Desk
from tests.fixtures.seqr import busy, refused, unknown
from tests.fixtures.uncommitted import uncommitted, until_it_waits


async def failed(desk: Desk, status: str = "CANCELED") -> str:
    """A purchase whose first invoice was closed."""
    purchase_id = await desk.buy()
    desk.seqr.says("R1", status)
    await desk.tick(2)
    assert (await desk.only())["state"] == "failed"
    return purchase_id


async def received(desk: Desk) -> str:
    """A purchase that SEQR had no time for."""
    desk.seqr.then("sendInvoice", busy())
    with pytest.raises(SeqrUnavailable):
        await desk.buy()
    return str((await desk.only())["id"])


async def test_nobody_acts_on_a_purchase_that_is_not_there(desk: Desk) -> None:
    with pytest.raises(PurchaseUnknown):
        await desk.act("0195aaaa-0000-7000-8000-000000000001", Action.RETRY)


async def test_received_sends_the_invoice_again_at_once(desk: Desk) -> None:
    purchase_id = await received(desk)
    await desk.act(purchase_id, Action.RETRY)
    assert (await desk.only())["state"] == "invoiced"
    first, second = desk.seqr.sent
    assert first.client_invoice_id != second.client_invoice_id
    assert first.notification_url == second.notification_url
    assert [row["state"] for row in await desk.attempts()] == ["busy", "open"]
    assert (await desk.actors(purchase_id)) == ["createPurchase", OPERATOR]
    assert await desk.mails() == ["payment_link"]


async def test_an_order_that_goes_on_by_itself_is_mailed_to_the_customer(desk: Desk) -> None:
    """createPurchase answered 503, so the phone shows that it failed."""
    await received(desk)
    assert await desk.mails() == []
    await desk.tick(2)
    assert (await desk.only())["state"] == "invoiced"
    assert await desk.mails() == ["payment_link"]
    assert await desk.settlement.place(MUG) == "R1"
    assert await desk.mails() == ["payment_link"]


async def test_who_repeats_the_order_gets_its_invoice_and_no_mail(desk: Desk) -> None:
    await received(desk)
    desk.clock.turn(2)
    assert await desk.settlement.place(MUG) == "R1"
    assert await desk.mails() == []


async def test_received_with_an_invoice_on_its_way_says_wait(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", unknown())
    with pytest.raises(SeqrUnavailable):
        await desk.buy()
    purchase_id = (await desk.only())["id"]
    with pytest.raises(NotAllowed, match="may still be on its way to SEQR: wait a moment"):
        await desk.act(purchase_id, Action.RETRY)
    assert len(desk.seqr.sent) == 1
    desk.clock.turn(11)
    await desk.act(purchase_id, Action.RETRY)
    assert (await desk.only())["state"] == "invoiced"


async def test_received_for_too_long_is_given_up_instead_of_sent(desk: Desk) -> None:
    purchase_id = await received(desk)
    desk.clock.turn(900)
    await desk.act(purchase_id, Action.RETRY)
    assert await desk.state() == ("failed", "seqr_unreachable")
    assert len(desk.seqr.sent) == 1


async def test_invoiced_asks_seqr_now(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.pay("R1")
    await desk.act(purchase_id, Action.RETRY)
    assert await desk.state() == ("stocked", None)
    assert desk.seqr.called("getPaymentStatus") == ["R1"]


async def test_stocked_has_nothing_to_retry_or_check(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.pay("R1")
    await desk.tick(2)
    for action in (Action.RETRY, Action.CHECK):
        with pytest.raises(NotAllowed, match="paid and stocked"):
            await desk.act(purchase_id, action)


async def test_failed_starts_over_with_a_new_hold_a_new_invoice_and_a_mail(desk: Desk) -> None:
    purchase_id = await failed(desk)
    assert await desk.stock() == (10, 0)
    await desk.act(purchase_id, Action.RETRY)
    purchase = await desk.only()
    assert (purchase["state"], purchase["reason"], purchase["invoice_reference"]) == ("invoiced", None, "R2")
    assert purchase["invoice_qr_code"] == "HTTP://SEQR.SE/R2"
    assert await desk.stock() == (10, 1)
    assert await desk.mails() == ["payment_link"]
    assert (await desk.rows(outbox))[0]["recipient"] == "anna@example.com"
    first, second = desk.seqr.sent
    assert first.client_invoice_id != second.client_invoice_id
    assert first.total == second.total
    assert await desk.story(purchase_id) == ["place", "invoice", "close", "retry", "invoice"]
    desk.seqr.pay("R2")
    await desk.tick(2)
    assert await desk.state() == ("stocked", None)
    assert await desk.stock() == (9, 0)
    assert await desk.movements() == ["hold", "release", "hold", "take"]
    assert await desk.mails() == ["payment_link", "order_confirmation"]


async def test_a_new_invoice_lives_its_whole_time(desk: Desk) -> None:
    purchase_id = await failed(desk)
    desk.clock.turn(5000)
    await desk.act(purchase_id, Action.RETRY)
    await desk.tick(890)
    assert (await desk.only())["state"] == "invoiced"
    await desk.tick(20)
    assert await desk.state() == ("failed", "expired")


async def test_starting_over_needs_stock(desk: Desk) -> None:
    purchase_id = await failed(desk)
    await desk.empty_shelf()
    with pytest.raises(NotAllowed, match=r"The stock lacks 1 × mug \(0 left\)\."):
        await desk.act(purchase_id, Action.RETRY)
    assert await desk.state() == ("failed", "cancelled_by_customer")
    assert await desk.stock() == (0, 0)
    assert len(desk.seqr.sent) == 1


async def test_an_order_that_came_too_late_can_start_over_after_a_delivery(desk: Desk) -> None:
    await desk.empty_shelf()
    with pytest.raises(OutOfStock):
        await desk.buy()
    purchase_id = (await desk.only())["id"]
    assert await desk.state() == ("failed", "out_of_stock")
    desk.clock.turn(60)
    await desk.restock(1)
    await desk.act(purchase_id, Action.RETRY)
    assert (await desk.only())["state"] == "invoiced"
    assert await desk.stock() == (1, 1)
    assert await desk.mails() == ["payment_link"]


async def test_starting_over_gives_way_to_a_newer_order_of_the_same(desk: Desk) -> None:
    purchase_id = await failed(desk)
    await desk.settlement.place(MUG)
    newer = (await desk.purchases())[1]
    with pytest.raises(NotAllowed, match=newer["id"]):
        await desk.act(purchase_id, Action.RETRY)
    assert (await desk.purchases())[0]["state"] == "failed"
    assert await desk.stock() == (10, 1)


async def test_two_operators_start_over_once(desk: Desk) -> None:
    purchase_id = await failed(desk)
    results = await asyncio.gather(
        *[desk.act(purchase_id, Action.RETRY) for _ in range(4)], return_exceptions=True
    )
    assert all(result is None or isinstance(result, NotAllowed) for result in results), results
    assert not any(purchase_id in str(result) for result in results), "it is not its own rival"
    assert len(desk.seqr.sent) == 2
    assert await desk.stock() == (10, 1)
    assert await desk.mails() == ["payment_link"]


async def test_a_new_start_that_seqr_refuses_has_failed_again(desk: Desk) -> None:
    purchase_id = await failed(desk)
    desk.seqr.then("sendInvoice", refused(49, "INVALID_INVOICE_DATA"))
    await desk.act(purchase_id, Action.RETRY)
    assert await desk.state() == ("failed", "invoice_refused")
    assert await desk.stock() == (10, 0)
    assert await desk.mails() == []
    await desk.act(purchase_id, Action.RETRY)
    assert (await desk.only())["state"] == "invoiced"
    assert await desk.movements() == ["hold", "release", "hold", "release", "hold"]


async def test_a_new_start_while_seqr_is_away_is_sent_later_and_mailed_then(desk: Desk) -> None:
    purchase_id = await failed(desk)
    desk.seqr.then("sendInvoice", busy())
    await desk.act(purchase_id, Action.RETRY)
    assert (await desk.only())["state"] == "received"
    assert await desk.mails() == []
    await desk.tick(2)
    assert (await desk.only())["state"] == "invoiced"
    assert await desk.mails() == ["payment_link"]


async def test_each_new_start_mails_once(desk: Desk) -> None:
    purchase_id = await failed(desk)
    for number in (2, 3):
        await desk.act(purchase_id, Action.RETRY)
        desk.seqr.says(f"R{number}", "CANCELED")
        await desk.tick(10)
    assert await desk.state() == ("failed", "cancelled_by_customer")
    numbers = [(row["kind"], row["number"]) for row in await desk.rows(outbox, outbox.c.id)]
    assert numbers == [("payment_link", 1), ("payment_link", 2)]


async def test_a_refused_order_failed_and_can_start_over(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", refused(20, "AUTHENTICATION_FAILED"))
    with pytest.raises(InvoiceRefused, match="20 AUTHENTICATION_FAILED"):
        await desk.buy()
    assert await desk.state() == ("failed", "invoice_refused")
    assert await desk.stock() == (10, 0)
    purchase_id = (await desk.only())["id"]
    desk.clock.turn(30)
    await desk.act(purchase_id, Action.RETRY)
    assert (await desk.only())["state"] == "invoiced"


async def _sent(desk: Desk, count: int) -> bool:
    return len(desk.seqr.sent) == count


async def test_other_customers_are_not_touched(desk: Desk) -> None:
    purchase_id = await failed(desk)
    await desk.settlement.place(BENGT)
    await desk.act(purchase_id, Action.RETRY)
    assert [row["state"] for row in await desk.purchases()] == ["invoiced", "invoiced"]
    assert await desk.stock() == (10, 2)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_the_customer_orders_again_in_the_moment_of_a_new_start(desk: Desk, database_url: str) -> None:
    """Both want to be the one unpaid purchase of this order: the database lets one, the other says why."""
    purchase_id = await failed(desk)
    async with uncommitted(database_url, placement.place, MUG, desk.parts.settings, desk.clock()):
        retrying = asyncio.create_task(desk.act(purchase_id, Action.RETRY))
        await until_it_waits(database_url, retrying)
    with pytest.raises(NotAllowed, match="has an unpaid purchase of the same order already"):
        await retrying
    assert [row["state"] for row in await desk.purchases()] == ["failed", "received"]
    assert await desk.stock() == (10, 1)
