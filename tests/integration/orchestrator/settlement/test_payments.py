"""Payments that were late, too little, without goods, or went back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestrator.money import Money
from orchestrator.seqr.messages import Busy, Unknown
from statemachine import Action
from tests.fixtures.desk import BENGT, Desk
from tests.fixtures.seqr import busy, unknown


async def test_a_wrong_sum_is_not_paid_but_a_matter_for_the_merchant(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "PAID", paid=Money(Decimal(1), "SEK"), ers_reference="E-1")
    await desk.tick(2)
    purchase = await desk.only()
    assert purchase["state"] == "invoiced"
    assert "1.00 SEK" in purchase["attention"]
    assert "149.00 SEK" in purchase["attention"]
    assert await desk.stock() == (10, 1), "the goods stay put aside"
    assert await desk.mails() == []
    await desk.act(purchase_id, Action.RETRY)
    assert (await desk.story(purchase_id)) == ["place", "invoice", "attention"]
    desk.seqr.says("R1", "REVERSED")
    await desk.act(purchase_id, Action.CHECK)
    assert await desk.state() == ("failed", "reversed")


async def test_a_sum_in_another_currency_is_a_wrong_sum(desk: Desk) -> None:
    await desk.buy()
    desk.seqr.says("R1", "PAID", paid=Money(Decimal(149), "EUR"))
    await desk.tick(2)
    purchase = await desk.only()
    assert purchase["state"] == "invoiced"
    assert "149.00 EUR" in purchase["attention"]


async def test_the_right_sum_on_the_receipt_is_paid(desk: Desk) -> None:
    await desk.buy()
    desk.seqr.says(
        "R1", "PAID", paid=Money(Decimal("149.00"), "SEK"), invoice_reference="R1", ers_reference="E-1"
    )
    await desk.tick(2)
    purchase = await desk.only()
    assert (purchase["state"], purchase["ers_reference"]) == ("stocked", "E-1")


async def test_a_failed_purchase_that_turns_out_paid_is_paid(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "FAILED")
    await desk.tick(2)
    assert await desk.state() == ("failed", "payment_failed")
    desk.seqr.pay("R1")
    await desk.settlement.notified(purchase_id, "127.0.0.1")
    await desk.settlement.close()
    assert await desk.state() == ("stocked", None)
    assert await desk.story(purchase_id) == ["place", "invoice", "close", "pay", "stock"]
    assert await desk.stock() == (9, 0)
    assert await desk.mails() == ["order_confirmation"]


@pytest.mark.parametrize("outcome", [busy(), unknown()])
async def test_word_about_a_failed_purchase_is_followed_up_until_seqr_has_answered(
    desk: Desk, outcome: Busy | Unknown
) -> None:
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "FAILED")
    await desk.tick(2)
    desk.seqr.pay("R1")
    desk.seqr.then("getPaymentStatus", outcome, outcome)
    await desk.settlement.notified(purchase_id, "127.0.0.1")
    await desk.settlement.close()
    assert (await desk.only())["state"] == "failed"
    await desk.tick(4)
    await desk.tick(4)
    assert await desk.state() == ("stocked", None)
    assert (await desk.attempts())[0]["state"] == "closed"


async def test_a_false_alarm_about_a_failed_purchase_changes_nothing(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "FAILED")
    await desk.tick(2)
    desk.seqr.then("getPaymentStatus", unknown())
    await desk.act(purchase_id, Action.CHECK)
    await desk.tick(4)
    assert await desk.state() == ("failed", "payment_failed")
    assert (await desk.only())["next_check_at"] is None
    assert (await desk.attempts())[0]["state"] == "closed"


async def test_a_failed_purchase_that_is_paid_takes_nothing_that_others_were_promised(desk: Desk) -> None:
    await desk.restock(-9)
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "FAILED")
    await desk.tick(2)
    await desk.settlement.place(BENGT)
    desk.seqr.pay("R1")
    await desk.act(purchase_id, Action.CHECK)
    first, second = await desk.purchases()
    assert (first["state"], second["state"]) == ("paid", "invoiced")
    assert "the stock lacks 1 × mug (0 left)" in first["attention"]
    assert await desk.stock() == (1, 1)
    desk.seqr.pay("R2")
    await desk.tick(2)
    assert [row["state"] for row in await desk.purchases()] == ["paid", "stocked"]


async def test_goods_that_another_purchase_gave_back_go_to_the_one_that_paid(desk: Desk) -> None:
    await desk.restock(-9)
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "FAILED")
    await desk.tick(2)
    await desk.settlement.place(BENGT)
    desk.seqr.pay("R1")
    await desk.act(purchase_id, Action.CHECK)
    desk.seqr.says("R2", "CANCELED")
    await desk.tick(2)
    await desk.tick(1)
    assert [row["state"] for row in await desk.purchases()] == ["stocked", "failed"]
    assert await desk.stock() == (0, 0)


async def test_paid_without_stock_waits_and_goes_on_by_itself_when_restocked(desk: Desk) -> None:
    purchase_id = await desk.buy()
    await desk.empty_shelf()
    desk.seqr.pay("R1")
    await desk.tick(2)
    purchase = await desk.only()
    assert purchase["state"] == "paid"
    assert "the stock lacks 1 × mug (0 left)" in purchase["attention"]
    assert await desk.mails() == []
    await desk.act(purchase_id, Action.RETRY)
    await desk.act(purchase_id, Action.CHECK)
    assert (await desk.only())["state"] == "paid"
    await desk.restock(5)
    await desk.tick()
    purchase = await desk.only()
    assert (purchase["state"], purchase["attention"]) == ("stocked", None)
    assert await desk.stock() == (4, 0)
    assert await desk.mails() == ["order_confirmation"]
    assert await desk.story(purchase_id) == ["place", "invoice", "pay", "attention", "stock"]


async def test_an_operator_delivers_a_paid_purchase_when_the_goods_are_there(desk: Desk) -> None:
    purchase_id = await desk.buy()
    await desk.empty_shelf()
    desk.seqr.pay("R1")
    await desk.tick(2)
    await desk.restock(1)
    await desk.act(purchase_id, Action.RETRY)
    assert await desk.state() == ("stocked", None)
    assert (await desk.actors(purchase_id))[-1] == "operator:eva"


async def test_a_paid_purchase_whose_money_went_back_fails_and_frees_its_goods(desk: Desk) -> None:
    purchase_id = await desk.buy()
    await desk.empty_shelf()
    desk.seqr.pay("R1")
    await desk.tick(2)
    desk.seqr.says("R1", "CANCELED")
    await desk.act(purchase_id, Action.CHECK)
    assert await desk.state() == ("failed", "reversed")
    assert await desk.stock() == (0, 0)
    await desk.restock(1)
    await desk.tick(10)
    assert await desk.state() == ("failed", "reversed")


async def test_hearing_of_the_same_payment_twice_is_no_news(desk: Desk) -> None:
    purchase_id = await desk.buy()
    await desk.empty_shelf()
    desk.seqr.pay("R1")
    await desk.tick(2)
    for _ in range(2):
        await desk.act(purchase_id, Action.CHECK)
    assert await desk.story(purchase_id) == ["place", "invoice", "pay", "attention"]
    assert (await desk.only())["attention"].startswith("Paid, but the stock lacks")


async def test_a_reversal_of_what_was_never_held_leaves_the_stock_alone(desk: Desk) -> None:
    await desk.restock(-9)
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "FAILED")
    await desk.tick(2)
    await desk.settlement.place(BENGT)
    desk.seqr.pay("R1")
    await desk.act(purchase_id, Action.CHECK)
    assert (await desk.purchases())[0]["state"] == "paid"
    desk.seqr.says("R1", "REVERSED")
    await desk.act(purchase_id, Action.CHECK)
    assert [row["state"] for row in await desk.purchases()] == ["failed", "invoiced"]
    assert await desk.stock() == (1, 1)
