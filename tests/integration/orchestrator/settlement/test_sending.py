"""sendInvoice when SEQR refuses, is busy, or nobody can tell: never sent twice blindly."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from orchestrator.purchase import Order, OutOfStock, UnknownPurchaseToken
from orchestrator.seqr.messages import Busy, Refused, Unknown
from orchestrator.settlement import InvoiceRefused, SeqrUnavailable
from orchestrator.tables import products, purchase_lines
from statemachine import Action
from tests.fixtures.desk import BENGT, MUG, Desk
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


async def test_a_twin_that_waits_for_a_refused_invoice_hears_of_the_refusal(desk: Desk) -> None:
    desk.seqr.hold("sendInvoice")
    desk.seqr.then("sendInvoice", refused(49, "INVALID_INVOICE_DATA"))
    first = asyncio.create_task(desk.settlement.place(MUG))
    await until(lambda: _sent(desk))
    twin = asyncio.create_task(desk.settlement.place(MUG))
    desk.seqr.let_go("sendInvoice")
    results = await asyncio.gather(first, twin, return_exceptions=True)
    assert [type(result) for result in results] == [InvoiceRefused, InvoiceRefused]
    assert all("49 INVALID_INVOICE_DATA" in str(result) for result in results)
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


async def test_twins_wait_for_the_first_ones_invoice(desk: Desk) -> None:
    desk.seqr.hold("sendInvoice")
    twins = [asyncio.create_task(desk.settlement.place(MUG)) for _ in range(6)]
    await until(lambda: _sent(desk))
    await asyncio.sleep(0.1)
    desk.seqr.let_go("sendInvoice")
    assert set(await asyncio.gather(*twins)) == {"R1"}
    assert len(desk.seqr.sent) == 1
    assert len(await desk.purchases()) == 1
    assert await desk.stock() == (10, 1)


async def test_a_twin_does_not_wait_for_ever(desk: Desk) -> None:
    desk.seqr.hold("sendInvoice")
    first = asyncio.create_task(desk.settlement.place(MUG))
    await until(lambda: _sent(desk))
    twin = asyncio.create_task(desk.settlement.place(MUG))
    await asyncio.sleep(0.1)
    desk.clock.turn(12)
    with pytest.raises(SeqrUnavailable):
        await twin
    desk.seqr.let_go("sendInvoice")
    assert await first == "R1"


@pytest.mark.parametrize("state", ["invoiced", "paid", "stocked", "failed"])
async def test_the_same_order_again(desk: Desk, state: str) -> None:
    assert await desk.settlement.place(MUG) == "R1"
    if state == "paid":
        await desk.empty_shelf()
    if state == "failed":
        desk.seqr.says("R1", "CANCELED")
    elif state != "invoiced":
        desk.seqr.pay("R1")
    await desk.tick(2)
    assert (await desk.only())["state"] == state
    if state == "paid":
        with pytest.raises(OutOfStock):
            await desk.settlement.place(MUG)
        await desk.restock(5)
    again = await desk.settlement.place(MUG)
    if state == "invoiced":
        assert (again, len(await desk.purchases())) == ("R1", 1)
    else:
        assert again == "R2"
        assert (await desk.purchases())[-1]["state"] == "invoiced"


async def test_any_other_customer_gets_an_invoice_of_their_own(desk: Desk) -> None:
    assert [await desk.settlement.place(order) for order in (MUG, BENGT, MUG)] == ["R1", "R2", "R1"]


async def test_an_order_that_cannot_be_fulfilled_is_kept_once(desk: Desk) -> None:
    await desk.empty_shelf()
    for _ in range(3):
        with pytest.raises(OutOfStock, match="1 × mug"):
            await desk.settlement.place(MUG)
    assert await desk.state() == ("failed", "out_of_stock")
    assert desk.seqr.calls == []
    assert await desk.stock() == (0, 0)
    desk.clock.turn(3601)
    with pytest.raises(OutOfStock):
        await desk.settlement.place(MUG)
    assert len(await desk.purchases()) == 2, "another hour, another customer turned away"


@pytest.mark.parametrize("token", ["saucer", "MUG", "mug."])
async def test_what_is_not_in_the_catalogue_is_not_sold(desk: Desk, token: str) -> None:
    with pytest.raises(UnknownPurchaseToken, match=token):
        await desk.settlement.place(_order(token))
    assert await desk.purchases() == []


async def test_what_is_not_for_sale_is_not_sold(desk: Desk) -> None:
    await desk.database.write(lambda connection: connection.execute(products.update().values(for_sale=False)))
    with pytest.raises(UnknownPurchaseToken):
        await desk.settlement.place(MUG)


async def test_a_price_that_changes_does_not_touch_what_was_ordered(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", busy())
    with pytest.raises(SeqrUnavailable):
        await desk.settlement.place(MUG)
    await desk.database.write(
        lambda connection: connection.execute(products.update().values(title="Cup", price=1))
    )
    await desk.tick(2)
    (invoice,) = desk.seqr.sent[1:]
    assert (str(invoice.total), invoice.rows[0].description) == ("149.00 SEK", "Mug")


async def test_a_bundle_takes_all_its_parts_or_none(desk: Desk) -> None:
    await desk.empty_shelf("spoon")
    await desk.restock(1, "spoon")
    with pytest.raises(OutOfStock, match=r"2 × spoon \(1 left\)"):
        await desk.settlement.place(_order("set"))
    assert (await desk.stock("mug"), await desk.stock("spoon")) == ((10, 0), (1, 0))
    await desk.restock(1, "spoon")
    await desk.settlement.place(_order("set"))
    assert (await desk.stock("mug"), await desk.stock("spoon")) == ((10, 1), (2, 2))
    assert len(await desk.rows(purchase_lines)) == 4


def _order(token: str) -> Order:
    return replace(MUG, purchase_token=token)


async def test_a_restart_sends_what_a_crash_left_received(desk: Desk) -> None:
    desk.seqr.hold("sendInvoice")
    ordering = asyncio.create_task(desk.settlement.place(MUG))
    await until(lambda: _sent(desk))
    ordering.cancel()
    await asyncio.gather(ordering, return_exceptions=True)
    desk.seqr.let_go("sendInvoice")
    other = await desk.open_again()
    await other.tick(5)
    assert await desk.state() == ("received", None), "the lost call may still arrive"
    await other.tick(7)
    assert await desk.state() == ("invoiced", None)
    assert [row["state"] for row in await desk.attempts()] == ["unknown", "open"]
    assert len({invoice.client_invoice_id for invoice in desk.seqr.sent}) == 2


async def test_a_restart_goes_on_asking_about_what_was_invoiced(desk: Desk) -> None:
    await desk.buy()
    desk.seqr.pay("R1")
    other = await desk.open_again()
    await other.tick(2)
    assert await desk.state() == ("stocked", None)


async def test_early_word_of_a_payment_makes_us_ask_as_soon_as_the_invoice_is_known(desk: Desk) -> None:
    desk.seqr.hold("sendInvoice")
    ordering = asyncio.create_task(desk.settlement.place(MUG))
    await until(lambda: _sent(desk))
    await desk.settlement.notified((await desk.only())["id"], "127.0.0.1")
    await desk.settlement.close()
    assert await desk.state() == ("received", None)
    desk.seqr.let_go("sendInvoice")
    assert await ordering == "R1"
    desk.seqr.pay("R1")
    await desk.tick(0)
    assert await desk.state() == ("stocked", None)


async def test_an_operators_check_of_a_received_order_sends_its_invoice(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", busy())
    with pytest.raises(SeqrUnavailable):
        await desk.settlement.place(MUG)
    await desk.act((await desk.only())["id"], Action.CHECK)
    assert await desk.state() == ("invoiced", None)
