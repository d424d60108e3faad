"""Payments of another sum than the invoice's: never paid silently, marked until the merchant acts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestrator import watch
from orchestrator.money import Money
from orchestrator.seqr.messages import Busy, IssuedInvoice, Outcome, PaymentStatus, Unknown
from statemachine import Action
from tests.fixtures.desk import Desk, started_over
from tests.fixtures.seqr import answered, busy, refused, unknown

WRONG = "SEQR took 1.00 SEK for invoice R1, which asked for 149.00 SEK."


async def standing(desk: Desk) -> tuple[str, str | None, str | None]:
    """State, reason and mark of the one purchase there is."""
    purchase = await desk.only()
    return purchase["state"], purchase["reason"], purchase["attention"]


def pay_wrong(desk: Desk) -> None:
    """The customer pays R1, and SEQR's receipt has another sum than the invoice."""
    desk.seqr.says("R1", "PAID", paid=Money(Decimal(1), "SEK"), ers_reference="E-R1")
    desk.seqr.always("cancelInvoice", refused(50, "CANNOT_CANCEL_PAID_INVOICE"))


async def paid_wrong(desk: Desk) -> str:
    """A purchase that is marked for a wrong sum."""
    purchase_id = await desk.buy()
    pay_wrong(desk)
    await desk.tick(2)
    assert await standing(desk) == ("invoiced", None, WRONG)
    return purchase_id


async def test_a_call_at_its_address_that_nobody_could_follow_does_not_keep_it_looked_at(desk: Desk) -> None:
    purchase_id = await paid_wrong(desk)
    await desk.database.write(watch.told, purchase_id, "somebody", desk.clock())  # and then the process died
    await desk.tick(5)
    assert await standing(desk) == ("invoiced", None, WRONG)
    assert (await desk.only())["next_check_at"] is None


@pytest.mark.parametrize(
    "odd", [answered(PaymentStatus("PAID", 9, invoice_reference="R77")), refused(21, "not now")]
)
async def test_the_mark_outlasts_an_answer_that_tells_nothing(
    desk: Desk, odd: Outcome[PaymentStatus]
) -> None:
    purchase_id = await paid_wrong(desk)
    desk.seqr.then("getPaymentStatus", odd)
    await desk.act(purchase_id, Action.CHECK)
    assert await standing(desk) == ("invoiced", None, WRONG)


async def test_it_was_asked_about_in_time_and_is_not_asked_about_for_ever(desk: Desk) -> None:
    await paid_wrong(desk)
    assert desk.seqr.called("getPaymentStatus") == ["R1"], "the question keeps SEQR from reversing"
    for _ in range(40):
        await desk.tick(30)
    assert desk.seqr.called("getPaymentStatus") == ["R1"]
    assert desk.seqr.called("cancelInvoice") == []
    assert await standing(desk) == ("invoiced", None, WRONG)
    assert await desk.stock() == (10, 1)


async def test_cancelling_frees_the_goods_and_keeps_the_mark_until_the_money_went_back(desk: Desk) -> None:
    purchase_id = await paid_wrong(desk)
    await desk.act(purchase_id, Action.CANCEL)
    assert await standing(desk) == ("failed", "cancelled_by_merchant", WRONG)
    assert await desk.stock() == (10, 0)
    assert await desk.mails() == []
    assert (await desk.only())["next_check_at"] is None
    await desk.act(purchase_id, Action.CHECK)
    assert await standing(desk) == ("failed", "cancelled_by_merchant", WRONG)
    desk.seqr.says("R1", "REVERSED")
    await desk.act(purchase_id, Action.CHECK)
    assert await standing(desk) == ("failed", "cancelled_by_merchant", None)


async def test_one_that_was_cancelled_can_be_started_over_and_paid_right(desk: Desk) -> None:
    purchase_id = await paid_wrong(desk)
    await desk.act(purchase_id, Action.CANCEL)
    await desk.act(purchase_id, Action.RETRY)
    assert await standing(desk) == ("invoiced", None, None)
    desk.seqr.pay("R2")
    await desk.tick(2)
    assert await desk.state() == ("stocked", None)


@pytest.mark.parametrize("silent", [unknown(), busy()])
async def test_a_cancel_that_seqr_did_not_answer_goes_on_by_itself(
    desk: Desk, silent: Busy | Unknown
) -> None:
    purchase_id = await paid_wrong(desk)
    desk.seqr.then("cancelInvoice", silent)
    desk.seqr.then("getPaymentStatus", unknown())
    await desk.act(purchase_id, Action.CANCEL)
    assert (await desk.only())["state"] == "invoiced"
    for _ in range(3):
        await desk.tick(4)
    assert await standing(desk) == ("failed", "cancelled_by_merchant", WRONG)


async def test_one_that_turns_out_right_is_paid(desk: Desk) -> None:
    purchase_id = await paid_wrong(desk)
    desk.seqr.says("R1", "PAID", paid=Money(Decimal(149), "SEK"))
    await desk.act(purchase_id, Action.RETRY)
    assert await standing(desk) == ("stocked", None, None)


async def test_one_on_an_old_invoice_stays_marked_beside_the_new_one(desk: Desk) -> None:
    await started_over(desk)
    pay_wrong(desk)
    for _ in range(4):
        await desk.tick(2)
        assert await standing(desk) == ("invoiced", None, WRONG), "the new one is open: no reason to forget"
    desk.seqr.pay("R2")
    await desk.tick(4)
    too = "Invoice R1 was paid too: refund what was paid twice."
    assert await standing(desk) == ("stocked", None, too)


async def test_one_on_an_old_invoice_stays_marked_when_the_new_one_is_closed(desk: Desk) -> None:
    await started_over(desk)
    pay_wrong(desk)
    await desk.tick(2)
    desk.seqr.says("R2", "CANCELED")
    await desk.tick(4)
    assert await standing(desk) == ("failed", "cancelled_by_customer", WRONG)


async def test_one_that_was_cancelled_stays_marked_when_an_old_invoice_is_closed(desk: Desk) -> None:
    purchase_id = await started_over(desk)
    desk.seqr.books["R1"] = PaymentStatus("ISSUED", 9)
    desk.seqr.says("R2", "PAID", paid=Money(Decimal(1), "SEK"))
    desk.seqr.then("cancelInvoice", busy(), refused(50), busy())
    await desk.act(purchase_id, Action.CHECK)
    await desk.act(purchase_id, Action.CANCEL)
    for _ in range(3):
        await desk.tick(4)
    wrong = "SEQR took 1.00 SEK for invoice R2, which asked for 149.00 SEK."
    assert await standing(desk) == ("failed", "cancelled_by_merchant", wrong)
    assert [row["state"] for row in await desk.attempts()] == ["closed", "closed"]


async def test_one_on_an_old_invoice_does_not_keep_the_new_one_from_being_sent(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", answered(IssuedInvoice("R1", None)), busy(), busy())
    desk.seqr.books["R1"] = PaymentStatus("ISSUED", 1)
    await started_over(desk)
    pay_wrong(desk)
    await desk.tick(2)
    assert await standing(desk) == ("received", None, WRONG)
    for _ in range(4):
        await desk.tick(5)
    assert await standing(desk) == ("invoiced", None, WRONG)


async def test_an_old_invoice_that_is_closed_changes_nothing_while_the_new_one_is_being_sent(
    desk: Desk,
) -> None:
    desk.seqr.then("sendInvoice", answered(IssuedInvoice("R1", None)), busy(), busy())
    desk.seqr.books["R1"] = PaymentStatus("ISSUED", 1)
    await started_over(desk)
    desk.seqr.says("R1", "CANCELED")
    await desk.tick(2)
    assert await standing(desk) == ("received", None, None)
    await desk.tick(5)
    assert await standing(desk) == ("invoiced", None, None)
