"""sendInvoice when SEQR refuses, is busy, or nobody can tell: never sent twice blindly."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.sending import InvoiceRefused, SeqrUnavailable
from orchestrator.seqr.messages import Busy, Refused, Unknown
from statemachine import Action
from tests.fixtures.desk import MUG, Desk
from tests.fixtures.seqr import busy, refused, unknown
from tests.fixtures.shop import until


async def test_a_refused_invoice_fails_the_purchase_with_seqrs_words(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", refused(49, "INVALID_INVOICE_DATA: no rows"))
    with pytest.raises(InvoiceRefused, match="49 INVALID_INVOICE_DATA: no rows"):
        await desk.settlement.place(MUG)
    assert await desk.state() == ("failed", "invoice_refused")
    assert await desk.stock() == (10, 0)
    assert [row["state"] for row in await desk.attempts()] == ["refused"]
    await desk.tick(100)
    assert len(desk.seqr.sent) == 1


async def _sent(desk: Desk) -> bool:
    return bool(desk.seqr.sent)


@pytest.mark.parametrize("outcome", [busy(93), busy(None)])
async def test_a_busy_seqr_leaves_the_order_received_and_gets_it_again(desk: Desk, outcome: Busy) -> None:
    desk.seqr.then("sendInvoice", outcome, outcome, outcome)
    with pytest.raises(SeqrUnavailable) as away:
        await desk.settlement.place(MUG)
    assert away.value.retryable
    assert away.value.retry_after > 0
    assert await desk.state() == ("received", None)
    assert await desk.stock() == (10, 1)
    waits = []
    for _ in range(3):
        waits.append(((await desk.only())["next_check_at"] - desk.clock()).total_seconds())
        await desk.tick(waits[-1])
    assert waits == [1, 2, 4], "each time a little more patient"
    assert await desk.state() == ("invoiced", None)
    assert [row["state"] for row in await desk.attempts()] == ["busy", "busy", "busy", "open"]
    assert len({invoice.client_invoice_id for invoice in desk.seqr.sent}) == 4


async def test_patience_with_a_busy_seqr_has_an_end(desk: Desk) -> None:
    desk.seqr.always("sendInvoice", busy())
    with pytest.raises(SeqrUnavailable):
        await desk.settlement.place(MUG)
    for _ in range(8):
        await desk.tick(60)
        assert ((await desk.only())["next_check_at"] - desk.clock()).total_seconds() <= 60


async def test_an_unknown_invoice_is_written_down_and_not_resent_while_it_may_be_on_its_way(
    desk: Desk,
) -> None:
    desk.seqr.then("sendInvoice", unknown())
    with pytest.raises(SeqrUnavailable):
        await desk.settlement.place(MUG)
    assert [(row["state"], row["reference"]) for row in await desk.attempts()] == [("unknown", None)]
    with pytest.raises(SeqrUnavailable):
        await desk.settlement.place(MUG)
    await desk.tick(10)
    assert len(desk.seqr.sent) == 1
    await desk.tick(1)
    assert await desk.state() == ("invoiced", None)
    first, second = desk.seqr.sent
    assert first.client_invoice_id != second.client_invoice_id
    assert [row["state"] for row in await desk.attempts()] == ["unknown", "open"]


async def test_the_customer_who_asks_again_later_gets_the_new_invoice(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", unknown())
    with pytest.raises(SeqrUnavailable):
        await desk.settlement.place(MUG)
    desk.clock.turn(11)
    assert await desk.settlement.place(MUG) == "R1"
    assert await desk.settlement.place(MUG) == "R1"
    assert len(await desk.purchases()) == 1


async def test_a_busy_seqr_is_tried_again_by_the_customers_repeat(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", busy())
    with pytest.raises(SeqrUnavailable):
        await desk.settlement.place(MUG)
    assert await desk.settlement.place(MUG) == "R1"
    assert len(await desk.purchases()) == 1
    assert await desk.stock() == (10, 1)


async def test_a_repeat_that_seqr_refuses_is_told_so(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", busy(), refused(21, "ACCESS_DENIED"))
    with pytest.raises(SeqrUnavailable):
        await desk.settlement.place(MUG)
    with pytest.raises(InvoiceRefused, match="21 ACCESS_DENIED"):
        await desk.settlement.place(MUG)
    assert await desk.state() == ("failed", "invoice_refused")


async def test_seqr_is_given_up_after_the_invoices_time(desk: Desk) -> None:
    desk.seqr.always("sendInvoice", busy())
    with pytest.raises(SeqrUnavailable):
        await desk.settlement.place(MUG)
    await desk.tick(899)
    assert await desk.state() == ("received", None)
    await desk.tick(31)
    assert await desk.state() == ("failed", "seqr_unreachable")
    assert await desk.stock() == (10, 0)
    sent = len(desk.seqr.sent)
    await desk.tick(60)
    assert len(desk.seqr.sent) == sent


async def test_each_unanswered_invoice_makes_the_next_one_wait_longer(desk: Desk) -> None:
    desk.seqr.always("sendInvoice", unknown())
    with pytest.raises(SeqrUnavailable):
        await desk.settlement.place(MUG)
    waits = []
    for _ in range(4):
        wait = ((await desk.only())["next_check_at"] - desk.clock()).total_seconds()
        waits.append(wait)
        await desk.tick(wait)
    assert waits == [11, 22, 44, 60]


async def test_an_order_is_not_given_up_while_its_invoice_may_be_on_its_way(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", busy(), unknown())
    with pytest.raises(SeqrUnavailable):
        await desk.settlement.place(MUG)
    await desk.tick(895)
    await desk.tick(10)
    assert await desk.state() == ("received", None)
    await desk.tick(12)
    assert await desk.state() == ("failed", "seqr_unreachable")


async def test_an_answer_that_comes_after_giving_up_is_cancelled_at_seqr(desk: Desk) -> None:
    desk.seqr.hold("sendInvoice")
    ordering = asyncio.create_task(desk.settlement.place(MUG))
    await until(lambda: _sent(desk))
    purchase_id = (await desk.only())["id"]
    desk.clock.turn(901)
    await desk.settlement.check(purchase_id, "reconciler")
    assert await desk.state() == ("failed", "seqr_unreachable")
    desk.seqr.let_go("sendInvoice")
    await asyncio.gather(ordering, return_exceptions=True)
    await desk.tick()
    assert desk.seqr.books["R1"].status == "CANCELED"
    assert await desk.state() == ("failed", "seqr_unreachable")


async def test_a_late_answer_to_an_invoice_given_up_as_unknown_is_used(desk: Desk) -> None:
    desk.seqr.hold("sendInvoice")
    ordering = asyncio.create_task(desk.settlement.place(MUG))
    await until(lambda: _sent(desk))
    late = desk.seqr.forget("sendInvoice")
    desk.seqr.then("sendInvoice", busy())
    await desk.tick(12)
    assert [row["state"] for row in await desk.attempts()] == ["unknown", "busy"]
    late.set()
    assert await ordering == "R1"
    assert await desk.state() == ("invoiced", None)


async def test_of_two_invoices_the_one_that_nobody_was_shown_is_cancelled(desk: Desk) -> None:
    desk.seqr.hold("sendInvoice")
    ordering = asyncio.create_task(desk.settlement.place(MUG))
    await until(lambda: _sent(desk))
    late = desk.seqr.forget("sendInvoice")
    await desk.tick(12)
    assert (await desk.only())["invoice_reference"] == "R2"
    late.set()
    assert await ordering == "R2", "both calls answer with one reference"
    await desk.tick(2)
    assert (desk.seqr.books["R1"].status, desk.seqr.books["R2"].status) == ("CANCELED", "ISSUED")
    assert await desk.state() == ("invoiced", None)


@pytest.mark.parametrize("news", [unknown(), busy(), refused(49)])
async def test_late_bad_news_of_an_earlier_call_does_not_undo_the_invoice(
    desk: Desk, news: Unknown | Busy | Refused
) -> None:
    desk.seqr.hold("sendInvoice")
    desk.seqr.then("sendInvoice", news)
    ordering = asyncio.create_task(desk.settlement.place(MUG))
    await until(lambda: _sent(desk))
    late = desk.seqr.forget("sendInvoice")
    await desk.tick(12)
    assert await desk.state() == ("invoiced", None)
    late.set()
    await asyncio.gather(ordering, return_exceptions=True)
    assert await desk.state() == ("invoiced", None)


async def test_an_operators_check_of_a_received_order_sends_its_invoice(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", busy())
    with pytest.raises(SeqrUnavailable):
        await desk.settlement.place(MUG)
    await desk.act((await desk.only())["id"], Action.CHECK)
    assert await desk.state() == ("invoiced", None)
