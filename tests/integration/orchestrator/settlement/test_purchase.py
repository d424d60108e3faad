"""A purchase from the order to the stock, over real HTTP and SOAP."""

from __future__ import annotations

from decimal import Decimal

from orchestrator.database import Database
from orchestrator.tables import exchanges, notifications, outbox
from sandbox.faults import NotificationFaults
from tests.fixtures.shop import Shop, at_work, until


async def test_goes_from_received_to_stocked_by_the_notification_alone(shop: Shop) -> None:
    reference = await shop.buy()
    purchase = await shop.only()
    assert (purchase["state"], purchase["invoice_reference"]) == ("invoiced", reference)
    assert await shop.stock() == (10, 1)

    shop.sandbox.ledger.pay(reference)

    async def stocked() -> bool:
        return bool((await shop.only())["state"] == "stocked")

    await until(stocked)
    purchase = await shop.only()
    assert await shop.story(purchase["id"]) == ["place", "invoice", "pay", "stock"]
    assert await shop.stock() == (9, 0)
    assert await shop.movements() == ["hold", "take"]
    assert purchase["ers_reference"] == shop.sandbox.ledger.invoice(reference).ers_reference
    assert purchase["next_check_at"] is None
    assert [mail["kind"] for mail in await shop.rows(outbox)] == ["order_confirmation"]
    assert len(await shop.rows(notifications)) == 1
    kept = await shop.rows(exchanges, exchanges.c.id)
    assert kept[0]["operation"] == "sendInvoice"
    assert not any("12345678" in row["request"] for row in kept)


async def test_a_lost_notification_is_found_by_asking(shop: Shop) -> None:
    shop.sandbox.faults.notifications = NotificationFaults(lost=True)
    reference = await shop.buy()
    shop.sandbox.ledger.pay(reference)
    await shop.until_state("stocked")
    assert await shop.rows(notifications) == []
    assert shop.sandbox.ledger.invoice(reference).committed


async def test_a_bundle_is_invoiced_as_its_parts_and_reduces_them(shop: Shop) -> None:
    reference = await shop.buy(purchaseToken="set")
    invoice = shop.sandbox.ledger.invoice(reference).invoice
    assert [(row.description, row.quantity, row.total.value) for row in invoice.rows] == [
        ("Mug", Decimal(1), Decimal("120.16")),
        ("Spoon", Decimal(2), Decimal("79.84")),
    ]
    assert invoice.total.value == Decimal("200.00")
    shop.sandbox.ledger.pay(reference)
    await shop.until_state("stocked")
    assert (await shop.stock("mug"), await shop.stock("spoon")) == ((9, 0), (18, 0))


async def test_a_customer_who_cancels_gives_the_stock_back(shop: Shop) -> None:
    reference = await shop.buy()
    shop.sandbox.ledger.cancel(reference)
    purchase = await shop.until_state("failed")
    assert purchase["reason"] == "cancelled_by_customer"
    assert await shop.stock() == (10, 0)
    assert await shop.movements() == ["hold", "release"]


async def test_a_payment_that_seqr_gave_back_is_told_as_reversed(database: Database) -> None:
    async with at_work(database, reversal_seconds=0.1) as shop:
        shop.sandbox.faults.notifications = NotificationFaults(lost=True)
        reference = await shop.buy()
        booked = shop.sandbox.ledger.pay(reference)

        async def reversed_() -> bool:
            return booked.reversed

        await until(reversed_)
        purchase = await shop.until_state("failed")
        assert purchase["reason"] == "reversed"
        assert await shop.stock() == (10, 0)
