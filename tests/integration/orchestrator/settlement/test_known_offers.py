"""An order is placed on what is known of its offer; whatever has changed since is found out all the same."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from orchestrator import catalogue
from orchestrator.money import Money
from orchestrator.product import ProductChange
from orchestrator.purchase import Order, OutOfStock, UnknownPurchaseToken
from orchestrator.sqlite_writer import raw_connection
from tests.fixtures.desk import MUG, Desk
from tests.fixtures.shop import until


def another(number: int, token: str = "mug") -> Order:
    """Another customer's order."""
    return replace(MUG, purchase_token=token, name=f"Buyer {number}", msisdn=f"4670000{number:04d}")


async def edit(desk: Desk, price: str = "149.00", *, for_sale: bool = True) -> None:
    change = ProductChange("mug", "Mug", Money(Decimal(price), "SEK"), Decimal(25), for_sale=for_sale)
    await desk.database.write(catalogue.save, change, "test", desk.clock())


async def test_a_new_price_is_the_next_orders(desk: Desk) -> None:
    for number, price in enumerate(("149.00", "99.00", "99.00", "120.00")):
        await edit(desk, price)
        await desk.settlement.place(another(number))
    assert [str(invoice.total.value) for invoice in desk.seqr.sent] == ["149.00", "99.00", "99.00", "120.00"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_known_is_not_read_again(desk: Desk) -> None:
    """Of PostgreSQL, where it costs a round trip each, ``test_plans`` counts the statements."""
    said: list[str] = []
    await desk.settlement.place(another(1))
    await desk.database.write(lambda connection: raw_connection(connection).set_trace_callback(said.append))
    await desk.settlement.place(another(2))
    read = [" ".join(words.split()) for words in said if words.startswith("SELECT")]
    assert read, "conditions are compared"
    assert not [words for words in read if "products.title" in words or "purchases.title" in words]


async def test_what_is_taken_off_sale_is_not_sold_any_more(desk: Desk) -> None:
    await desk.settlement.place(another(1))
    await edit(desk, for_sale=False)
    with pytest.raises(UnknownPurchaseToken):
        await desk.settlement.place(another(2))
    await edit(desk)
    assert await desk.settlement.place(another(2)) == "R2"


async def test_what_was_sold_meanwhile_is_not_sold_again(desk: Desk) -> None:
    await desk.settlement.place(another(1))
    await desk.restock(-9)
    with pytest.raises(OutOfStock):
        await desk.settlement.place(another(2))
    await desk.restock(1)
    assert await desk.settlement.place(another(3)) == "R2"
    assert await desk.stock() == (2, 2)


async def test_a_bundle_whose_part_is_gone_is_not_sold(desk: Desk) -> None:
    await desk.settlement.place(another(1, "set"))
    await desk.empty_shelf("spoon")
    with pytest.raises(OutOfStock):
        await desk.settlement.place(another(2, "set"))
    assert await desk.stock("mug") == (10, 1)


@pytest.mark.parametrize("waited", [0, 10.5])
async def test_a_purchase_that_was_called_about_meanwhile_keeps_that(desk: Desk, waited: float) -> None:
    """What was placed is not as it was when SEQR has answered, however late: it is read again."""
    desk.seqr.hold("sendInvoice")
    placing = asyncio.create_task(desk.settlement.place(another(1)))

    async def is_sent() -> bool:
        return bool(desk.seqr.sent)

    await until(is_sent)
    purchase_id = (await desk.only())["id"]
    desk.clock.turn(waited)
    await desk.settlement.notified(purchase_id, "SEQR")
    await desk.settlement.close()
    desk.seqr.let_go("sendInvoice")
    assert await placing == "R1"
    found = await desk.only()
    assert (found["state"], found["next_check_at"]) == ("invoiced", desk.clock())
