"""Attention marks: each says what the merchant has to know, of this purchase, and goes when it is over."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestrator import note, outcome
from orchestrator.money import Money
from orchestrator.seqr.messages import PaymentStatus
from orchestrator.stamp import Stamp
from orchestrator.tables import journal
from statemachine import Action
from tests.fixtures.desk import BENGT, MUG, OPERATOR, Desk, started_over
from tests.fixtures.seqr import answered, busy, refused, unknown

MIXED_UP = answered(PaymentStatus("PAID", 9, invoice_reference="R77"))
"""SEQR's answer about an invoice of somebody else."""


async def told(desk: Desk, purchase_id: str) -> list[str]:
    """The journal's sentences about a purchase."""
    rows = await desk.rows(journal, journal.c.sequence)
    return [str(row["detail"]) for row in rows if row["purchase_id"] == purchase_id]


@pytest.mark.parametrize(
    ("description", "words"),
    [("no such invoice", "54 no such invoice."), ("It is gone. ", "54 It is gone."), ("", "54.")],
)
async def test_seqrs_own_words_make_one_sentence(desk: Desk, description: str, words: str) -> None:
    await desk.buy()
    desk.seqr.then("getPaymentStatus", refused(54, description))
    await desk.tick(2)
    assert (await desk.only())["attention"] == f"SEQR refuses to tell about invoice R1: {words}"


async def test_a_mark_that_is_over_is_told_of(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.then("getPaymentStatus", refused(21, "ACCESS_DENIED"))
    await desk.tick(2)
    await desk.tick(2)
    assert (await told(desk, purchase_id))[2:] == [
        "SEQR refuses to tell about invoice R1: 21 ACCESS_DENIED.",
        "It moves by itself again.",
    ]
    assert (await desk.only())["checks_failed"] == 0


async def test_a_purchase_that_was_paid_twice_and_lacks_its_goods_has_both_on_its_mark(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "FAILED")
    await desk.tick(2)
    await desk.act(purchase_id, Action.RETRY)
    await desk.empty_shelf()
    for reference in ("R1", "R2"):
        desk.seqr.pay(reference)
    await desk.act(purchase_id, Action.CHECK)
    lacks = "Paid, but the stock lacks 1 × mug (0 left): restock it, then it goes on by itself; or refund it."
    too = "Invoice R2 was paid too: refund what was paid twice."
    assert (await desk.only())["attention"] == f"{lacks} {too}"
    await desk.act(purchase_id, Action.RETRY)
    assert (await desk.only())["attention"] == f"{lacks} {too}"


async def test_several_invoices_that_were_paid_too_are_all_named(desk: Desk) -> None:
    purchase_id = await desk.buy()
    for reference in ("R1", "R2"):
        desk.seqr.says(reference, "FAILED")
        await desk.act(purchase_id, Action.CHECK)
        await desk.act(purchase_id, Action.RETRY)
    for reference in ("R3", "R1", "R2"):
        desk.seqr.pay(reference)
        await desk.act(purchase_id, Action.CHECK) if reference == "R3" else None
    purchase = await desk.only()
    assert (purchase["state"], purchase["invoice_reference"]) == ("stocked", "R3")
    for number, row in enumerate(await desk.attempts()):
        said = answered(desk.seqr.books[f"R{number + 1}"])
        stamp = Stamp(OPERATOR, desk.clock())
        await desk.database.write(outcome.record_status, row["id"], said, desk.parts.settings, stamp)
    too = "Invoice R1, R2 was paid too: refund what was paid twice."
    assert str((await desk.only())["attention"]).endswith(too)


async def test_of_two_wrong_sums_the_later_is_on_the_mark_and_never_a_note(desk: Desk) -> None:
    purchase_id = await desk.buy()
    for sum_ in ("1", "2"):
        desk.seqr.says("R1", "PAID", paid=Money(Decimal(sum_), "SEK"))
        await desk.act(purchase_id, Action.CHECK)
    stamp = Stamp(OPERATOR, desk.clock())
    await desk.database.write(note.add, purchase_id, "SEQR took nothing, says the customer.", stamp)
    desk.seqr.then("getPaymentStatus", MIXED_UP)
    await desk.act(purchase_id, Action.CHECK)
    assert (await desk.only())[
        "attention"
    ] == "SEQR took 2.00 SEK for invoice R1, which asked for 149.00 SEK."


async def test_a_wrong_sum_of_one_purchase_marks_no_other(desk: Desk) -> None:
    await desk.buy(BENGT)
    desk.seqr.says("R1", "PAID", paid=Money(Decimal(1), "SEK"))
    await desk.tick(2)
    other = await desk.buy(MUG)
    await desk.empty_shelf()
    desk.seqr.pay("R2")
    await desk.act(other, Action.CHECK)
    desk.seqr.then("getPaymentStatus", MIXED_UP)
    await desk.act(other, Action.CHECK)
    sentences = await told(desk, other)
    assert "SEQR answered for invoice R77 when asked for R2." in sentences
    assert not [sentence for sentence in sentences if "R1" in sentence]


@pytest.mark.parametrize(
    ("code", "mark"), [(54, None), (21, "SEQR refuses to tell about invoice R1: 21 refused.")]
)
async def test_that_an_older_invoice_is_not_known_concerns_nobody(
    desk: Desk, code: int, mark: str | None
) -> None:
    await started_over(desk)
    (row, _) = await desk.attempts()
    assert row["state"] == "open", "it is watched again"
    stamp, settings = Stamp("reconciler", desk.clock()), desk.parts.settings
    await desk.database.write(outcome.record_status, row["id"], refused(code), settings, stamp)
    assert (await desk.only())["attention"] == mark


async def test_an_outage_is_over_with_the_payment_it_delayed(desk: Desk) -> None:
    await desk.buy()
    await desk.empty_shelf()
    desk.seqr.then("getPaymentStatus", unknown())
    await desk.tick(2)
    assert (await desk.only())["checks_failed"] == 1
    desk.seqr.pay("R1")
    await desk.tick(2)
    purchase = await desk.only()
    assert (purchase["state"], purchase["checks_failed"], purchase["next_check_at"]) == ("paid", 0, None)


async def test_an_answer_about_an_older_invoice_ends_an_outage_too(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "FAILED")
    await desk.tick(2)
    desk.seqr.then("sendInvoice", busy(), busy())
    desk.seqr.then("getPaymentStatus", unknown())
    await desk.act(purchase_id, Action.CHECK)
    await desk.act(purchase_id, Action.RETRY)
    desk.seqr.then("getPaymentStatus", unknown())
    desk.seqr.books["R1"] = PaymentStatus("RESERVED", 9)
    await desk.settlement.check(purchase_id, "reconciler")
    assert (await desk.only())["checks_failed"] == 1
    desk.seqr.always("cancelInvoice", unknown())
    desk.seqr.then("sendInvoice", busy())
    await desk.settlement.check(purchase_id, "reconciler")
    assert (await desk.only())["checks_failed"] == 0
