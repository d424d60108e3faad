"""What SEQR's word about an invoice makes of its purchase, whoever asked."""

from __future__ import annotations

import pytest

from orchestrator.seqr.messages import Busy, PaymentStatus, Unknown
from orchestrator.tables import exchanges
from statemachine import Action
from tests.fixtures.desk import Desk
from tests.fixtures.seqr import answered, busy, refused, unknown


@pytest.mark.parametrize(
    ("status", "more", "reason"),
    [
        ("CANCELED", {}, "cancelled_by_customer"),
        ("FAILED", {}, "payment_failed"),
        ("REVERSED", {}, "reversed"),
        ("REVERSAL_DONE", {"ers_reference": "E-1"}, "reversed"),
        ("CANCELED", {"ers_reference": "E-1"}, "reversed"),
        ("FAILED", {"ers_reference": "E-1"}, "reversed"),
    ],
)
async def test_a_closed_invoice_fails_the_purchase_and_frees_the_goods(
    desk: Desk, status: str, more: dict[str, str], reason: str
) -> None:
    purchase_id = await desk.buy()
    desk.seqr.says("R1", status, **more)
    await desk.tick(2)
    assert await desk.state() == ("failed", reason)
    assert await desk.stock() == (10, 0)
    assert (await desk.only())["next_check_at"] is None
    assert (await desk.attempts())[0]["state"] == "closed"
    assert desk.seqr.called("cancelInvoice") == [], "there is nothing left to cancel"
    assert (await desk.story(purchase_id))[:2] == ["place", "invoice"]
    assert await desk.mails() == []
    asked = len(desk.seqr.calls)
    await desk.tick(60)
    assert len(desk.seqr.calls) == asked, "a closed invoice is not asked about again"


@pytest.mark.parametrize("status", ["ISSUED", "PENDING_ISSUER_ACKNOWLEDGE", "RESERVED", "PARTIALLY_PAID"])
async def test_an_open_invoice_keeps_waiting_without_a_word(desk: Desk, status: str) -> None:
    purchase_id = await desk.buy()
    desk.seqr.says("R1", status)
    for _ in range(3):
        await desk.tick(2)
    purchase = await desk.only()
    assert (purchase["state"], purchase["attention"]) == ("invoiced", None)
    assert await desk.story(purchase_id) == ["place", "invoice"]
    assert len(desk.seqr.called("getPaymentStatus")) == 3
    kept = [row["operation"] for row in await desk.rows(exchanges)]
    assert len(kept) == 2, "an answer that says nothing new is not kept"
    assert await desk.stock() == (10, 1)


async def test_the_version_last_received_goes_into_the_next_call(desk: Desk) -> None:
    await desk.buy()
    await desk.tick(2)
    desk.seqr.says("R1", "RESERVED")
    await desk.tick(2)
    await desk.tick(2)
    assert desk.seqr.versions == [0, 1, 2]


async def test_an_unknown_status_gets_attention_until_it_is_known_again(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "THINKING")
    await desk.tick(2)
    purchase = await desk.only()
    assert purchase["state"] == "invoiced"
    assert "THINKING" in purchase["attention"]
    assert "R1" in purchase["attention"]
    await desk.tick(2)
    assert await desk.story(purchase_id) == ["place", "invoice", "attention"], "told once"
    desk.seqr.says("R1", "RESERVED")
    await desk.tick(2)
    assert (await desk.only())["attention"] is None
    assert (await desk.story(purchase_id))[-1] == "attention_over"
    desk.seqr.pay("R1")
    await desk.tick(2)
    assert await desk.state() == ("stocked", None)


async def test_an_answer_about_another_invoice_moves_nothing(desk: Desk) -> None:
    await desk.buy()
    desk.seqr.says("R1", "PAID", invoice_reference="R77")
    await desk.tick(2)
    purchase = await desk.only()
    assert purchase["state"] == "invoiced"
    assert "R77" in purchase["attention"]
    assert "R1" in purchase["attention"]
    desk.seqr.says("R1", "PAID", invoice_reference="R1")
    await desk.tick(10)
    assert await desk.state() == ("stocked", None)


async def test_an_expired_invoice_is_not_cancelled_on_an_answer_about_another(desk: Desk) -> None:
    await desk.buy()
    desk.seqr.says("R1", "ISSUED", invoice_reference="R77")
    await desk.tick(1000)
    assert desk.seqr.called("cancelInvoice") == []


async def test_seqr_that_will_not_tell_gets_attention_and_is_asked_again(desk: Desk) -> None:
    await desk.buy()
    desk.seqr.always("getPaymentStatus", refused(54, "no such invoice"))
    await desk.tick(2)
    purchase = await desk.only()
    assert (purchase["state"], purchase["checks_failed"]) == ("invoiced", 1)
    assert "R1: 54 no such invoice." in purchase["attention"]
    desk.seqr.always("getPaymentStatus", None)
    desk.seqr.pay("R1")
    await desk.tick(10)
    assert await desk.state() == ("stocked", None)
    assert (await desk.only())["attention"] is None


@pytest.mark.parametrize("outcome", [busy(), busy(None), unknown()])
async def test_a_seqr_out_of_reach_changes_nothing_and_is_asked_within_the_20_seconds(
    desk: Desk, outcome: Busy | Unknown
) -> None:
    await desk.buy()
    desk.seqr.always("getPaymentStatus", outcome)
    for _ in range(6):
        await desk.tick(10)
        purchase = await desk.only()
        assert (purchase["state"], purchase["attention"]) == ("invoiced", None)
        assert 0 < (purchase["next_check_at"] - desk.clock()).total_seconds() <= 10
    assert (await desk.only())["checks_failed"] == 6
    desk.seqr.always("getPaymentStatus", None)
    await desk.tick(10)
    assert (await desk.only())["checks_failed"] == 0


async def test_an_older_answer_that_was_overtaken_is_dropped(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "THINKING")
    old = answered(desk.seqr.books["R1"])
    desk.seqr.says("R1", "RESERVED")
    await desk.tick(2)
    desk.seqr.then("getPaymentStatus", old)
    await desk.tick(2)
    assert (await desk.only())["attention"] is None
    assert (await desk.attempts())[0]["version"] == 3
    assert await desk.story(purchase_id) == ["place", "invoice"]


async def test_an_older_paid_does_not_undo_a_later_reversal(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.pay("R1")
    old = answered(desk.seqr.books["R1"])
    desk.seqr.says("R1", "CANCELED")
    await desk.tick(2)
    assert await desk.state() == ("failed", "reversed")
    desk.seqr.then("getPaymentStatus", old)
    await desk.act(purchase_id, Action.CHECK)
    assert await desk.state() == ("failed", "reversed"), "the money went back: nothing may be shipped"
    assert await desk.stock() == (10, 0)


async def test_an_older_paid_is_still_paid_while_nothing_closed_the_invoice(desk: Desk) -> None:
    await desk.buy()
    desk.seqr.says("R1", "RESERVED")
    await desk.tick(2)
    desk.seqr.then("getPaymentStatus", answered(PaymentStatus("PAID", 1, "E-1")))
    await desk.tick(2)
    assert await desk.state() == ("stocked", None)


async def test_a_stocked_purchase_ignores_further_notifications(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.pay("R1")
    await desk.tick(2)
    asked = len(desk.seqr.calls)
    await desk.settlement.notified(purchase_id, "10.0.0.1")
    await desk.settlement.close()
    assert len(desk.seqr.calls) == asked
