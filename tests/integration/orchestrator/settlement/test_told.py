"""What merchants, SEQR and the log are told of a purchase, word for word."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from orchestrator import journal as journals
from orchestrator import watch
from orchestrator.purchase import PurchaseUnknown, load
from orchestrator.sending import InvoiceRefused, SeqrUnavailable
from orchestrator.tables import audit, journal, notifications
from statemachine import Action, NotAllowed
from tests.fixtures.desk import BENGT, MUG, OPERATOR, Desk
from tests.fixtures.seqr import busy, refused, unknown
from tests.fixtures.shop import until


async def told(desk: Desk, purchase_id: str) -> list[str]:
    """The journal's sentences about a purchase."""
    rows = await desk.rows(journal, journal.c.sequence)
    return [str(row["detail"]) for row in rows if row["purchase_id"] == purchase_id]


async def not_invoiced(desk: Desk) -> tuple[str, SeqrUnavailable]:
    """An order that got no invoice, and what its customer's phone is told."""
    with pytest.raises(SeqrUnavailable) as away:
        await desk.buy()
    return str((await desk.only())["id"]), away.value


async def test_the_journal_tells_a_purchase_that_went_well(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.pay("R1")
    await desk.tick(2)
    assert await told(desk, purchase_id) == [
        "The customer ordered Mug.",
        "SEQR's invoice R1.",
        "SEQR holds 149.00 SEK for invoice R1.",
        "The goods were taken from the stock.",
    ]
    purchase = await desk.only()
    assert (purchase["updated_at"], purchase["holds_stock"]) == (desk.clock(), False)
    rows = await desk.rows(journal, journal.c.sequence)
    assert [row["at"] for row in rows] == [desk.clock() - timedelta(seconds=2)] * 2 + [desk.clock()] * 2


async def test_the_journal_tells_what_was_asked_for(desk: Desk) -> None:
    purchase_id = await desk.buy()
    await desk.act(purchase_id, Action.CANCEL)
    desk.seqr.then("sendInvoice", busy())
    await desk.act(purchase_id, Action.RETRY, why="She rang.")
    await desk.act(purchase_id, Action.CANCEL)
    assert (await told(desk, purchase_id))[2:] == [
        "The shop asks SEQR to cancel the invoice.",
        "SEQR says CANCELED of invoice R1.",
        "Started over: the goods are held again. Why: She rang.",
        "Cancelled before there was an invoice.",
    ]


async def test_the_journal_tells_what_seqr_will_not_do(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", refused(49, "INVALID_INVOICE_DATA"))
    with pytest.raises(InvoiceRefused, match=r"^SEQR refused the invoice: 49 INVALID_INVOICE_DATA$"):
        await desk.buy()
    assert (await told(desk, (await desk.only())["id"]))[1:] == [
        "SEQR refused the invoice: 49 INVALID_INVOICE_DATA."
    ]


async def test_what_happened_last_is_told_last(desk: Desk) -> None:
    first, _ = await desk.buy(BENGT), await desk.buy(MUG)
    assert await desk.database.read(journals.last_words, first) == "SEQR's invoice R1."


async def test_a_purchase_and_its_invoice_keep_what_seqr_gave(desk: Desk) -> None:
    await desk.buy()
    purchase, (attempt,) = await desk.only(), await desk.attempts()
    for row in (
        purchase | {"reference": purchase["invoice_reference"], "qr_code": purchase["invoice_qr_code"]},
        attempt,
    ):
        assert (row["reference"], row["qr_code"]) == ("R1", "HTTP://SEQR.SE/R1")
    assert purchase["checks_failed"] == 0
    assert (attempt["number"], attempt["state"], attempt["issued_at"]) == (1, "open", desk.clock())


async def test_when_an_invoice_ended_is_kept(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", refused(49))
    with pytest.raises(InvoiceRefused):
        await desk.buy()
    await desk.buy(BENGT)
    desk.seqr.pay("R1")
    await desk.tick(2)
    times = [row["closed_at"] for row in await desk.attempts()]
    assert times == [desk.clock() - timedelta(seconds=2), desk.clock()]


async def test_the_customers_phone_is_told_why_to_come_again(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", busy())
    _, away = await not_invoiced(desk)
    assert away.message == "SEQR gave no invoice. Repeat the request in a moment."
    assert away.retry_after == 2


async def test_the_customers_phone_is_told_that_the_shop_cancelled(desk: Desk) -> None:
    desk.seqr.hold("sendInvoice")
    ordering = asyncio.create_task(desk.buy())

    async def sent() -> bool:
        return bool(desk.seqr.sent)

    await until(sent)
    await desk.act((await desk.only())["id"], Action.CANCEL)
    desk.seqr.let_go("sendInvoice")
    with pytest.raises(SeqrUnavailable) as away:
        await ordering
    assert away.value.message == "The purchase was cancelled meanwhile. Repeat the request in a moment."


async def test_who_retries_too_early_is_told_to_wait(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", unknown())
    purchase_id, _ = await not_invoiced(desk)
    with pytest.raises(NotAllowed) as refusal:
        await desk.act(purchase_id, Action.RETRY)
    assert refusal.value.why == "The last invoice may still be on its way to SEQR: wait a moment."


async def test_a_notification_is_named_as_what_made_us_ask(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.pay("R1")
    await desk.settlement.notified(purchase_id, "192.0.2.7")
    await desk.settlement.close()
    assert await desk.actors(purchase_id) == ["createPurchase"] * 2 + ["notification"] * 2
    (row,) = await desk.rows(notifications)
    assert (row["purchase_id"], row["sender"], row["at"]) == (purchase_id, "192.0.2.7", desk.clock())


async def test_twenty_calls_of_one_purchase_are_kept_however_many_come(desk: Desk) -> None:
    first = await desk.buy(MUG)
    desk.clock.turn(1)
    second = await desk.buy(BENGT)
    for purchase_id in [first] * 22 + [second]:
        assert await desk.database.write(watch.told, purchase_id, "192.0.2.7", desk.clock())
    rows = [row["purchase_id"] for row in await desk.rows(notifications)]
    assert (rows.count(first), rows.count(second)) == (20, 1)
    for purchase in await desk.purchases():
        assert purchase["notified_at"] == desk.clock()
        assert purchase["next_check_at"] == desk.clock() + timedelta(seconds=1), "whoever comes next asks"


async def test_the_audit_log_has_where_they_were_and_why_if_they_said_so(desk: Desk) -> None:
    purchase_id = await desk.buy()
    await desk.act(purchase_id, Action.CHECK)
    await desk.settlement.act(purchase_id, Action.CANCEL, OPERATOR, why="She rang.", address="192.0.2.7")
    rows = await desk.rows(audit, audit.c.id)
    assert [(row["detail"], row["address"]) for row in rows] == [("", ""), ("She rang.", "192.0.2.7")]


async def test_the_log_tells_of_every_move_and_of_nothing_else(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.then("getPaymentStatus", refused(21), unknown())
    await desk.tick(2)
    await desk.tick(2)
    desk.seqr.says("R1", "CANCELED")
    with capture_logs() as lines:
        await desk.tick(2)
        await desk.tick(60)
    (line,) = lines
    assert line == {
        "event": "purchase.failed",
        "log_level": "info",
        "purchase_id": purchase_id,
        "actor": "reconciler",
        "source": "invoiced",
        "reason": "cancelled_by_customer",
        "attention": None,
    }


async def test_whether_seqr_was_in_reach(desk: Desk) -> None:
    """By this the reconciler knows an outage."""
    desk.seqr.then("sendInvoice", unknown(), busy())
    purchase_id, _ = await not_invoiced(desk)
    check = desk.settlement.check
    assert await check(purchase_id, "reconciler") is None, "it is not time to send again"
    desk.clock.turn(11)
    assert await check(purchase_id, "reconciler") is False
    desk.clock.turn(60)
    assert await check(purchase_id, "reconciler") is True
    for answer, reached in ((unknown(), False), (busy(), False), (refused(21), True)):
        desk.seqr.then("getPaymentStatus", answer)
        assert await check(purchase_id, "reconciler") is reached
    assert await check(purchase_id, "reconciler") is True
    desk.seqr.says("R1", "CANCELED")
    assert await check(purchase_id, "reconciler") is True
    assert await check(purchase_id, "reconciler") is None, "nothing was asked"


async def test_two_orders_of_one_moment_are_two(desk: Desk) -> None:
    """Bundles too: nothing of one is counted for the other."""
    orders = [replace(MUG, name=name, purchase_token="set") for name in ("Cia", "Dan")]
    for order in orders:
        await desk.settlement.place(order)
    rows = await desk.purchases()
    assert [row["state"] for row in rows] == ["invoiced", "invoiced"]
    found = await desk.database.read(load, rows[0]["id"])
    assert (found.holds, found.holds_stock) == (1, True)
    desk.seqr.pay("R1")
    await desk.tick(2)
    assert (await desk.stock("mug"), await desk.stock("spoon")) == ((9, 1), (18, 2))


async def test_a_call_about_what_is_stocked_adds_nothing(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.pay("R1")
    await desk.tick(2)
    asked = len(desk.seqr.calls)
    await desk.settlement.notified(purchase_id, "SEQR")
    await desk.settlement.close()
    assert await desk.rows(notifications) == []
    assert len(desk.seqr.calls) == asked
    with pytest.raises(PurchaseUnknown, match="nobody"):
        await desk.settlement.notified("nobody", "SEQR")
