"""Killed by SIGKILL at any step and started again, the program ends in a right state, on both databases.

Before and after each commit, and before and after each call to SEQR. SEQR's 20 seconds are real here.
"""

from __future__ import annotations

import signal

import pytest
from sqlalchemy import Connection, update

from orchestrator import stock
from orchestrator.identity import now
from orchestrator.tables import outbox
from sandbox.booking import Status
from sandbox.faults import FaultKind, NotificationFaults, OperationFault
from tests.acceptance.crashing import Crash
from tests.acceptance.premises import Life, Premises
from tests.fixtures.shop import until


def around(point: str, number: int = 1, status: str = "") -> list[Crash]:
    """Before and after a point."""
    return [Crash(point, "before", number, status), Crash(point, "after", number, status)]


async def revive(shop: Premises, dying: Life) -> None:
    """Wait for the crash, and start again."""
    assert await dying.until_death() == -signal.SIGKILL
    await shop.start()


async def ends_stocked(shop: Premises) -> None:
    """The one purchase is paid once, stocked once, and told of once."""
    await shop.until_state("stocked")
    books = await shop.check()
    assert [product["on_hand"] for product in books.products if product["token"] == "mug"] == [9]
    assert len([booked for booked in shop.sandbox.ledger.invoices if booked.paid_at]) == 1


async def ends_failed(shop: Premises, reason: str) -> None:
    """The one purchase failed, its hold is given back, and nobody can pay it any more."""
    purchase = await shop.until_state("failed")
    books = await shop.check()
    assert (purchase["reason"], purchase["attention"]) == (reason, None)
    assert [
        (product["on_hand"], product["reserved"]) for product in books.products if product["token"] == "mug"
    ] == [(10, 0)]
    assert not [booked for booked in shop.sandbox.ledger.invoices if booked.open]


@pytest.mark.parametrize(
    "crash",
    [*around("placement.place"), *around("seqr.send_invoice"), *around("issuing.record_sent")],
    ids=str,
)
async def test_while_the_order_is_placed(shop_floor: Premises, crash: Crash) -> None:
    dying = await shop_floor.start(crash)
    assert await shop_floor.order() == (0, {})
    await revive(shop_floor, dying)

    reference = await shop_floor.buy()
    assert (await shop_floor.only())["invoice_reference"] == reference
    shop_floor.sandbox.ledger.pay(reference)
    await ends_stocked(shop_floor)


@pytest.mark.parametrize("crash", around("issuing.begin_next"), ids=str)
async def test_while_the_invoice_is_sent_again(shop_floor: Premises, crash: Crash) -> None:
    busy = OperationFault(FaultKind.RESULT_CODE, result_code=93, times=1)
    shop_floor.sandbox.faults.set("sendInvoice", busy)
    dying = await shop_floor.start(crash)
    assert (await shop_floor.order())[0] == 503
    await revive(shop_floor, dying)

    shop_floor.sandbox.ledger.pay(await shop_floor.buy())
    await ends_stocked(shop_floor)


@pytest.mark.parametrize("crash", around("operation.ask"), ids=str)
async def test_while_the_merchant_asks_seqr(shop_floor: Premises, crash: Crash) -> None:
    shop_floor.sandbox.faults.notifications = NotificationFaults(lost=True)
    dying = await shop_floor.start(crash)
    reference = await shop_floor.buy()
    assert await shop_floor.act("retry", (await shop_floor.only())["id"]) == 0
    await revive(shop_floor, dying)

    shop_floor.sandbox.ledger.pay(reference)
    await ends_stocked(shop_floor)


@pytest.mark.parametrize(
    "crash",
    [
        *around("watch.claim"),
        Crash("seqr.payment_status", "before"),
        Crash("seqr.payment_status", "after", status="ISSUED"),
        *around("outcome.record_status", status="ISSUED"),
    ],
    ids=str,
)
async def test_while_the_customer_makes_up_their_mind(shop_floor: Premises, crash: Crash) -> None:
    shop_floor.sandbox.faults.notifications = NotificationFaults(lost=True)
    dying = await shop_floor.start(crash)
    await shop_floor.order()
    await revive(shop_floor, dying)

    reference = await shop_floor.buy()
    assert [booked.reference for booked in shop_floor.sandbox.ledger.invoices] == [reference]
    shop_floor.sandbox.ledger.pay(reference)
    await ends_stocked(shop_floor)


@pytest.mark.parametrize(
    "crash",
    [
        *around("watch.told"),
        Crash("seqr.payment_status", "after", status="PAID"),
        *around("outcome.record_status", status="PAID"),
    ],
    ids=str,
)
async def test_while_the_payment_is_learnt(shop_floor: Premises, crash: Crash) -> None:
    shop_floor.sandbox.faults.notifications = NotificationFaults(retries=0)
    dying = await shop_floor.start(crash)
    shop_floor.sandbox.ledger.pay(await shop_floor.buy())
    await revive(shop_floor, dying)
    await ends_stocked(shop_floor)


async def test_before_the_customer_pays_and_the_notification_is_lost(shop_floor: Premises) -> None:
    shop_floor.sandbox.faults.notifications = NotificationFaults(lost=True)
    dying = await shop_floor.start(Crash("seqr.payment_status", "before"))
    await shop_floor.order()
    assert await dying.until_death() == -signal.SIGKILL

    shop_floor.sandbox.ledger.pay(shop_floor.sandbox.ledger.invoices[0].reference)
    await shop_floor.start()
    await ends_stocked(shop_floor)


@pytest.mark.parametrize("crash", around("delivery.take_stock"), ids=str)
async def test_while_missing_goods_arrive(shop_floor: Premises, crash: Crash) -> None:
    shop_floor.sandbox.faults.notifications = NotificationFaults(lost=True)
    dying = await shop_floor.start(crash)
    reference = await shop_floor.buy()
    await shop_floor.write(stock.correct, "mug", 0, "broken", "cli", now())
    shop_floor.sandbox.ledger.pay(reference)
    assert (await shop_floor.until_state("paid"))["attention"]
    await shop_floor.write(stock.receive, "mug", 10, "delivery", "cli", now())
    await revive(shop_floor, dying)
    await ends_stocked(shop_floor)


@pytest.mark.parametrize("crash", around("watch.rest"), ids=str)
async def test_while_a_late_notification_of_a_closed_invoice_is_followed(
    shop_floor: Premises, crash: Crash
) -> None:
    shop_floor.sandbox.faults.notifications = NotificationFaults(lost=True)
    dying = await shop_floor.start(crash)
    booked = shop_floor.sandbox.ledger.cancel(await shop_floor.buy())
    await shop_floor.until_state("failed")
    assert booked.invoice.notification_url is not None
    async with shop_floor.http.post(booked.invoice.notification_url) as answer:
        assert answer.status == 200
    await revive(shop_floor, dying)
    await until(shop_floor.at_rest)
    await ends_failed(shop_floor, "cancelled_by_customer")


@pytest.mark.parametrize("crash", [*around("outbox.claim"), *around("outbox.record_kept")], ids=str)
async def test_while_the_mail_is_written(shop_floor: Premises, crash: Crash) -> None:
    dying = await shop_floor.start(crash)
    shop_floor.sandbox.ledger.pay(await shop_floor.buy())
    await revive(shop_floor, dying)
    await shop_floor.write(lease_is_over)

    async def kept() -> bool:
        return [mail["state"] for mail in (await shop_floor.check()).mails] == ["kept"]

    await until(kept)
    await ends_stocked(shop_floor)


def lease_is_over(connection: Connection) -> None:
    """As if the dead process's claim on the mail were some minutes old."""
    queued = outbox.c.state == "queued"
    connection.execute(update(outbox).where(queued).values(next_attempt_at=now()))


@pytest.mark.parametrize(
    "crash",
    [
        *around("operation.ask_cancel"),
        *around("operation.want_cancelled"),
        *around("seqr.cancel_invoice"),
        *around("outcome.record_cancel"),
    ],
    ids=str,
)
async def test_while_the_merchant_cancels(shop_floor: Premises, crash: Crash) -> None:
    dying = await shop_floor.start(crash)
    await shop_floor.buy()
    purchase = await shop_floor.only()
    assert await shop_floor.act("cancel", purchase["id"]) == 0
    await revive(shop_floor, dying)
    if crash == Crash("operation.ask_cancel", "before"):  # nothing was written, so the merchant asks again
        assert await shop_floor.act("cancel", purchase["id"]) == 200
    await ends_failed(shop_floor, "cancelled_by_merchant")


@pytest.mark.parametrize(
    "crash", [Crash("operation.ask_cancel", "after"), Crash("seqr.cancel_invoice", "before")], ids=str
)
async def test_while_the_merchant_cancels_and_the_customer_pays(shop_floor: Premises, crash: Crash) -> None:
    dying = await shop_floor.start(crash)
    reference = await shop_floor.buy()
    assert await shop_floor.act("cancel", (await shop_floor.only())["id"]) == 0
    assert await dying.until_death() == -signal.SIGKILL
    shop_floor.sandbox.ledger.pay(reference)
    await shop_floor.start()
    await ends_stocked(shop_floor)


@pytest.mark.parametrize("crash", around("operation.cancel_received"), ids=str)
async def test_while_the_merchant_cancels_what_has_no_invoice(shop_floor: Premises, crash: Crash) -> None:
    shop_floor.sandbox.faults.set("sendInvoice", OperationFault(FaultKind.RESULT_CODE, result_code=93))
    dying = await shop_floor.start(crash)
    assert (await shop_floor.order())[0] == 503
    purchase = await shop_floor.only()
    assert await shop_floor.act("cancel", purchase["id"]) == 0
    await revive(shop_floor, dying)
    if crash.moment == "before":
        assert await shop_floor.act("cancel", purchase["id"]) == 200
    await ends_failed(shop_floor, "cancelled_by_merchant")


@pytest.mark.parametrize(
    "crash",
    [
        *around("operation.want_cancelled"),
        Crash("seqr.cancel_invoice", "after"),
        Crash("outcome.record_cancel", "before"),
    ],
    ids=str,
)
async def test_while_the_invoice_expires(shop_floor: Premises, crash: Crash) -> None:
    shop_floor.settings["invoice_ttl"] = 1
    dying = await shop_floor.start(crash)
    await shop_floor.buy()
    await revive(shop_floor, dying)
    await ends_failed(shop_floor, "expired")


@pytest.mark.parametrize(
    "crash",
    [
        *around("operation.start_over"),
        *around("seqr.send_invoice", number=2),
        *around("issuing.record_sent", number=2),
    ],
    ids=str,
)
async def test_while_the_merchant_starts_over(shop_floor: Premises, crash: Crash) -> None:
    dying = await shop_floor.start(crash)
    first = await shop_floor.buy()
    shop_floor.sandbox.ledger.cancel(first)
    purchase = await shop_floor.until_state("failed")
    assert await shop_floor.act("retry", purchase["id"]) == 0
    await revive(shop_floor, dying)
    if crash == Crash("operation.start_over", "before"):
        assert await shop_floor.act("retry", purchase["id"]) == 200

    again = (await shop_floor.until_state("invoiced"))["invoice_reference"]
    assert again != first
    assert shop_floor.sandbox.ledger.invoice(again).status is Status.ISSUED
    shop_floor.sandbox.ledger.pay(again)
    await ends_stocked(shop_floor)
    kinds = [mail["kind"] for mail in (await shop_floor.check()).mails]
    assert sorted(kinds) == ["order_confirmation", "payment_link"]
