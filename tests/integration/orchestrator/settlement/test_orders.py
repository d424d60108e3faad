"""What is ordered: the same again, what nobody sells, what runs out, and what a restart finds."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from orchestrator.purchase import Order, OutOfStock, UnknownPurchaseToken
from orchestrator.sending import InvoiceRefused, SeqrUnavailable
from orchestrator.tables import products, purchase_lines
from tests.fixtures.desk import BENGT, MUG, Desk, make_desk
from tests.fixtures.seqr import busy, refused
from tests.fixtures.shop import until


async def _sent(desk: Desk) -> bool:
    return bool(desk.seqr.sent)


async def test_a_twin_that_waits_for_a_refused_invoice_hears_of_the_refusal(desk: Desk) -> None:
    desk.seqr.hold("sendInvoice")
    desk.seqr.then("sendInvoice", refused(49, "INVALID_INVOICE_DATA"))
    first = asyncio.create_task(desk.settlement.place(MUG))
    await until(lambda: _sent(desk))
    elsewhere = make_desk(desk.parts.database, desk.seqr, desk.clock, desk.parts.settings)
    twin = asyncio.create_task(elsewhere.settlement.place(MUG))
    desk.seqr.let_go("sendInvoice")
    results = await asyncio.gather(first, twin, return_exceptions=True)
    assert [type(result) for result in results] == [InvoiceRefused, InvoiceRefused]
    assert all("49 INVALID_INVOICE_DATA" in str(result) for result in results)
    assert len(desk.seqr.sent) == 1


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
    desk.clock.turn(11)
    with pytest.raises(SeqrUnavailable):
        async with asyncio.timeout(10):
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
        states = {row["invoice_reference"]: row["state"] for row in await desk.purchases()}
        assert (again, states["R2"]) == ("R2", "invoiced")


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
    purchase = await desk.only()
    assert (purchase["holds_stock"], purchase["holds"], purchase["checks_failed"]) == (False, 0, 0)
    desk.clock.turn(3600)
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


async def test_what_the_catalogue_knows_of_a_product_is_on_its_invoice(desk: Desk) -> None:
    known = products.update().values(sku="S-1", ean="7310865000000")
    await desk.database.write(lambda connection: connection.execute(known))
    await desk.settlement.place(_order("set"))
    mug, spoon = desk.seqr.sent[0].rows
    assert [(row.sku, row.ean) for row in (mug, spoon)] == [("S-1", "7310865000000")] * 2
    assert [(row.description, row.quantity, row.tax_rate) for row in (mug, spoon)] == [
        ("Mug", Decimal(1), Decimal(25)),
        ("Spoon", Decimal(2), Decimal(12)),
    ]


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
