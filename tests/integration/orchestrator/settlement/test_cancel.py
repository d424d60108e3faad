"""Cancel and expiry: only SEQR's word makes an invoiced purchase failed."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator import journal
from orchestrator.seqr.messages import Busy, Unknown
from statemachine import Action, NotAllowed
from tests.fixtures.desk import OPERATOR, Desk
from tests.fixtures.seqr import busy, refused, unknown
from tests.fixtures.shop import until


async def test_cancelling_an_invoice_is_told_to_seqr_and_fails_the_purchase(desk: Desk) -> None:
    purchase_id = await desk.buy()
    await desk.act(purchase_id, Action.CANCEL)
    assert desk.seqr.called("cancelInvoice") == ["R1"]
    assert await desk.state() == ("failed", "cancelled_by_merchant")
    assert await desk.stock() == (10, 0)
    assert await desk.story(purchase_id) == ["place", "invoice", "cancel_asked", "close"]
    assert (await desk.actors(purchase_id))[-2:] == [OPERATOR, OPERATOR]
    assert (await desk.only())["next_check_at"] is None


async def test_cancelling_what_seqr_cancelled_already_is_done(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.then("cancelInvoice", refused(95))
    await desk.act(purchase_id, Action.CANCEL)
    assert await desk.state() == ("failed", "cancelled_by_merchant")


async def test_cancelling_what_seqr_does_not_know_is_done(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.then("cancelInvoice", refused(54, "no such invoice"))
    await desk.act(purchase_id, Action.CANCEL)
    assert await desk.state() == ("failed", "cancelled_by_merchant")
    said = await desk.database.read(journal.last_words, purchase_id)
    assert said == "SEQR does not know invoice R1: 54 no such invoice."


async def test_the_customer_pays_first(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.pay("R1")
    desk.seqr.then("cancelInvoice", refused(50))
    await desk.act(purchase_id, Action.CANCEL)
    assert await desk.state() == ("stocked", None)
    assert await desk.stock() == (9, 0)
    assert await desk.story(purchase_id) == ["place", "invoice", "cancel_asked", "pay", "stock"]


async def test_paid_says_cancel_but_the_next_word_is_lost(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.pay("R1")
    desk.seqr.then("cancelInvoice", refused(50))
    desk.seqr.then("getPaymentStatus", unknown())
    await desk.act(purchase_id, Action.CANCEL)
    assert (await desk.only())["state"] == "invoiced"
    await desk.tick(4)
    assert await desk.state() == ("stocked", None)


@pytest.mark.parametrize("outcome", [busy(51), busy(48), busy(93), busy(None), unknown()])
async def test_a_cancel_without_a_clear_answer_is_asked_about_and_tried_again(
    desk: Desk, outcome: Busy | Unknown
) -> None:
    purchase_id = await desk.buy()
    desk.seqr.then("cancelInvoice", outcome)
    await desk.act(purchase_id, Action.CANCEL)
    assert (await desk.only())["state"] == "invoiced"
    assert await desk.stock() == (10, 1)
    await desk.tick(4)
    assert await desk.state() == ("failed", "cancelled_by_merchant")
    assert desk.seqr.called("cancelInvoice") == ["R1", "R1"]


@pytest.mark.parametrize("outcome", [busy(51), unknown()])
async def test_a_payment_that_was_under_way_when_cancelled_is_paid(
    desk: Desk, outcome: Busy | Unknown
) -> None:
    purchase_id = await desk.buy()
    desk.seqr.then("cancelInvoice", outcome)
    await desk.act(purchase_id, Action.CANCEL)
    desk.seqr.pay("R1")
    await desk.tick(4)
    assert await desk.state() == ("stocked", None)
    assert desk.seqr.called("cancelInvoice") == ["R1"]


async def test_a_lost_answer_to_a_cancel_that_was_done_is_found_out(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.then("cancelInvoice", unknown())
    desk.seqr.says("R1", "CANCELED")
    await desk.act(purchase_id, Action.CANCEL)
    await desk.tick(4)
    assert await desk.state() == ("failed", "cancelled_by_merchant")


async def test_a_cancel_that_seqr_refuses_gets_attention_and_is_tried_again(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.then("cancelInvoice", refused(21, "ACCESS_DENIED"))
    await desk.act(purchase_id, Action.CANCEL)
    purchase = await desk.only()
    assert purchase["state"] == "invoiced"
    assert "SEQR refuses to cancel invoice R1: 21 ACCESS_DENIED." in purchase["attention"]
    await desk.tick(4)
    assert await desk.state() == ("failed", "cancelled_by_merchant")
    assert (await desk.only())["attention"] is None


async def test_a_cancel_outlives_the_process_that_was_asked_for_it(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.hold("cancelInvoice")
    desk.seqr.then("cancelInvoice", unknown())
    asked = asyncio.create_task(desk.act(purchase_id, Action.CANCEL))
    await until(lambda: _seen(desk, "cancelInvoice"))
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    desk.seqr.let_go("cancelInvoice")
    other = await desk.open_again()
    await other.tick(2)
    assert await desk.state() == ("failed", "cancelled_by_merchant")


async def _seen(desk: Desk, operation: str) -> bool:
    return bool(desk.seqr.called(operation))


async def test_cancel_before_there_is_an_invoice(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", busy())
    with pytest.raises(Exception, match="Repeat the request"):
        await desk.buy()
    purchase_id = (await desk.only())["id"]
    await desk.act(purchase_id, Action.CANCEL)
    assert await desk.state() == ("failed", "cancelled_by_merchant")
    assert await desk.stock() == (10, 0)
    assert desk.seqr.called("cancelInvoice") == []
    await desk.tick(60)
    assert len(desk.seqr.sent) == 1


async def test_an_invoice_that_arrives_after_the_cancel_is_cancelled_at_seqr(desk: Desk) -> None:
    desk.seqr.hold("sendInvoice")
    ordering = asyncio.create_task(desk.buy())
    await until(lambda: _seen(desk, "sendInvoice"))
    purchase_id = (await desk.only())["id"]
    await desk.act(purchase_id, Action.CANCEL)
    desk.seqr.let_go("sendInvoice")
    with pytest.raises(Exception, match="cancelled meanwhile"):
        await ordering
    await desk.tick()
    assert await desk.state() == ("failed", "cancelled_by_merchant")
    assert desk.seqr.books["R1"].status == "CANCELED"
    assert [row["state"] for row in await desk.attempts()] == ["closed"]
    assert (await desk.only())["next_check_at"] is None


async def test_a_refusal_that_arrives_after_the_cancel_changes_nothing(desk: Desk) -> None:
    desk.seqr.hold("sendInvoice")
    desk.seqr.then("sendInvoice", refused(49))
    ordering = asyncio.create_task(desk.buy())
    await until(lambda: _seen(desk, "sendInvoice"))
    await desk.act((await desk.only())["id"], Action.CANCEL)
    desk.seqr.let_go("sendInvoice")
    await asyncio.gather(ordering, return_exceptions=True)
    assert await desk.state() == ("failed", "cancelled_by_merchant")
    assert [row["state"] for row in await desk.attempts()] == ["refused"]


async def test_a_late_invoice_that_is_paid_before_it_can_be_cancelled_counts(desk: Desk) -> None:
    desk.seqr.hold("sendInvoice")
    ordering = asyncio.create_task(desk.buy())
    await until(lambda: _seen(desk, "sendInvoice"))
    await desk.act((await desk.only())["id"], Action.CANCEL)
    desk.seqr.let_go("sendInvoice")
    await asyncio.gather(ordering, return_exceptions=True)
    desk.seqr.pay("R1")
    await desk.tick()
    assert await desk.state() == ("stocked", None)
    assert await desk.stock() == (9, 0)


async def test_an_invoice_expires_only_after_its_time_and_only_at_seqr(desk: Desk) -> None:
    purchase_id = await desk.buy()
    await desk.tick(899)
    assert (desk.seqr.called("cancelInvoice"), (await desk.only())["state"]) == ([], "invoiced")
    await desk.tick(9)
    assert desk.seqr.called("cancelInvoice") == ["R1"]
    assert await desk.state() == ("failed", "expired")
    assert await desk.stock() == (10, 0)
    assert (await desk.actors(purchase_id))[-1] == "reconciler"


async def test_a_customer_who_pays_at_the_last_moment_has_paid(desk: Desk) -> None:
    await desk.buy()
    desk.seqr.then("cancelInvoice", refused(50))
    before = desk.seqr.books["R1"]
    desk.seqr.pay("R1")
    paid = desk.seqr.books["R1"]
    desk.seqr.books["R1"] = before
    desk.clock.turn(901)
    desk.seqr.hold("cancelInvoice")
    checking = asyncio.create_task(desk.tick())
    await until(lambda: _seen(desk, "cancelInvoice"))
    desk.seqr.books["R1"] = paid
    desk.seqr.let_go("cancelInvoice")
    await checking
    assert await desk.state() == ("stocked", None)


async def forgotten(desk: Desk) -> str:
    """A purchase whose invoice SEQR does not know; its time is over."""
    purchase_id = await desk.buy()
    for operation in ("getPaymentStatus", "cancelInvoice"):
        desk.seqr.always(operation, refused(54, "no such invoice"))
    await desk.tick(899)
    assert "R1: 54 no such invoice." in (await desk.only())["attention"]
    assert desk.seqr.called("cancelInvoice") == []
    await desk.tick(9)
    return purchase_id


async def test_an_invoice_that_seqr_does_not_know_expires(desk: Desk) -> None:
    """That it knows none is SEQR's word that nobody can pay it (54)."""
    purchase_id = await forgotten(desk)
    assert await desk.state() == ("failed", "expired")
    assert (await desk.only())["attention"] is None
    assert await desk.stock() == (10, 0)
    said = await desk.database.read(journal.last_words, purchase_id)
    assert said == "SEQR does not know invoice R1: 54 no such invoice."


async def test_an_invoice_that_seqr_does_not_know_is_sought_slowly_and_not_for_ever(desk: Desk) -> None:
    await forgotten(desk)
    asked = len(desk.seqr.called("getPaymentStatus"))
    for _ in range(30):
        await desk.tick(4)
    assert len(desk.seqr.called("getPaymentStatus")) == asked + 2
    for _ in range(62):
        await desk.tick(60)
    asked = len(desk.seqr.called("getPaymentStatus"))
    assert (await desk.only())["next_check_at"] is None
    await desk.tick(600)
    assert len(desk.seqr.called("getPaymentStatus")) == asked
    assert (await desk.only())["attention"] is None


async def test_a_payment_on_an_invoice_that_was_not_known_for_a_while_is_found(desk: Desk) -> None:
    """So it is when the credentials were wrong and were put right."""
    await forgotten(desk)
    desk.seqr.always("getPaymentStatus", None)
    desk.seqr.pay("R1")
    await desk.tick(60)
    assert await desk.state() == ("stocked", None)


async def test_an_invoice_that_is_known_again_is_cancelled(desk: Desk) -> None:
    await forgotten(desk)
    for operation in ("getPaymentStatus", "cancelInvoice"):
        desk.seqr.always(operation, None)
    before = len(desk.seqr.called("cancelInvoice"))
    await desk.tick(60)
    await desk.tick(2)
    assert len(desk.seqr.called("cancelInvoice")) == before + 1
    assert await desk.state() == ("failed", "expired")
    assert (await desk.only())["next_check_at"] is None


async def test_an_outage_while_it_is_sought_hurries_nothing(desk: Desk) -> None:
    await forgotten(desk)
    desk.seqr.always("getPaymentStatus", unknown())
    await desk.tick(60)
    purchase = await desk.only()
    assert (purchase["checks_failed"], purchase["attention"]) == (0, None)
    assert [row["state"] for row in await desk.attempts()] == ["closed"]


@pytest.mark.parametrize("code", [21, 54])
async def test_an_invoice_of_the_past_that_seqr_will_not_tell_about_needs_nobody(
    desk: Desk, code: int
) -> None:
    purchase_id = await desk.buy()
    await desk.act(purchase_id, Action.CANCEL)
    desk.seqr.always("getPaymentStatus", refused(code))
    await desk.act(purchase_id, Action.CHECK)
    assert (await desk.only())["attention"] is None
    assert (await desk.only())["next_check_at"] is None


async def test_an_unknown_status_expires_too(desk: Desk) -> None:
    await desk.buy()
    desk.seqr.says("R1", "THINKING")
    await desk.tick(901)
    assert await desk.state() == ("failed", "expired")


@pytest.mark.parametrize("state", ["paid", "stocked", "failed"])
async def test_cancel_is_refused_where_it_means_nothing(desk: Desk, state: str) -> None:
    purchase_id = await _in(desk, state)
    with pytest.raises(NotAllowed) as refusal:
        await desk.act(purchase_id, Action.CANCEL)
    assert refusal.value.state == state
    assert (await desk.only())["state"] == state


async def _in(desk: Desk, state: str) -> str:
    purchase_id = await desk.buy()
    if state == "paid":
        await desk.empty_shelf()
    desk.seqr.says("R1", "FAILED") if state == "failed" else desk.seqr.pay("R1")
    await desk.tick(2)
    assert (await desk.only())["state"] == state
    return purchase_id


async def test_two_cancels_at_once_end_in_one_failure(desk: Desk) -> None:
    purchase_id = await desk.buy()
    results = await asyncio.gather(
        desk.act(purchase_id, Action.CANCEL), desk.act(purchase_id, Action.CANCEL), return_exceptions=True
    )
    assert all(result is None or isinstance(result, NotAllowed) for result in results)
    assert await desk.state() == ("failed", "cancelled_by_merchant")
    assert await desk.stock() == (10, 0)
    assert await desk.movements() == ["hold", "release"]
