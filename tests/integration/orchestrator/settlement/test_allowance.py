"""Who orders much and pays nothing: how far that goes, on both databases and in several processes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from orchestrator import placement
from orchestrator.allowance import TooManyUnpaid
from orchestrator.database import Database, open_database
from orchestrator.identity import now
from orchestrator.purchase import Order, OutOfStock
from orchestrator.tables import purchases
from statemachine import Action
from tests.fixtures.desk import MUG, Desk, desk_settings, make_desk
from tests.fixtures.shop import ORDER, at_work, stocked
from tests.fixtures.statements import recorded

PHONE = "46700000001"


def order(number: int, phone: str = PHONE, token: str = "mug", email: str = "a@example.com") -> Order:
    """One of many orders, each of another name."""
    return replace(MUG, purchase_token=token, name=f"Buyer {number}", msisdn=phone, email=email)


def limited(desk: Desk, **changes: int) -> Desk:
    """The desk with other limits."""
    settings = desk_settings(**changes)
    return make_desk(desk.parts.database, desk.seqr, desk.clock, settings)


async def test_one_phone_may_have_so_many_unpaid_purchases(desk: Desk) -> None:
    desk = limited(desk, unpaid_per_phone=2)
    first = await desk.buy(order(1))
    await desk.buy(order(2, token="spoon"))
    with pytest.raises(TooManyUnpaid, match="unpaid"):
        await desk.settlement.place(order(3))
    assert len(await desk.purchases()) == 2, "what is refused is not kept"
    await desk.buy(order(3, phone="46700000002"))
    assert await desk.settlement.place(order(1)), "a repeat makes nothing new"
    await desk.act(first, Action.CANCEL)
    await desk.buy(order(3))


async def test_without_a_phone_number_the_mail_address_counts(desk: Desk) -> None:
    desk = limited(desk, unpaid_per_phone=1)
    await desk.buy(order(1, phone=""))
    with pytest.raises(TooManyUnpaid):
        await desk.settlement.place(order(2, phone=""))
    await desk.buy(order(2, phone="", email="b@example.com"))
    await desk.buy(order(2, phone=PHONE))


async def test_no_limit_is_none(desk: Desk) -> None:
    desk = limited(desk, unpaid_per_phone=0)
    for number in range(10):
        await desk.buy(order(number))
    with pytest.raises(OutOfStock):
        await desk.settlement.place(order(10))


async def test_unpaid_purchases_leave_a_share_of_the_stock(desk: Desk) -> None:
    desk = limited(desk, unpaid_per_phone=0, unpaid_share=35)
    for number in range(3):
        await desk.buy(order(number))
    with pytest.raises(TooManyUnpaid, match="mug"):
        await desk.settlement.place(order(3))
    await desk.buy(order(3, token="spoon"))
    assert await desk.stock() == (10, 3)
    await desk.empty_shelf("spoon")
    with pytest.raises(OutOfStock):
        await desk.settlement.place(order(4, token="spoon"))


async def test_the_last_piece_can_be_bought_whatever_the_share(desk: Desk) -> None:
    desk = limited(desk, unpaid_share=1)
    await desk.restock(-9)
    await desk.buy(order(1))


async def test_orders_at_once_in_two_processes_are_counted_together(
    database: Database, database_url: str
) -> None:
    await database.write(stocked)
    settings = desk_settings(unpaid_per_phone=3)
    other = open_database(database_url)

    async def place(number: int) -> str:
        token = "mug" if number % 3 else "spoon"
        where = database if number % 2 else other
        try:
            await where.write(placement.place, order(number, token=token), settings, now())
        except TooManyUnpaid:
            return "refused"
        return "placed"

    try:
        placed = await asyncio.gather(*(place(number) for number in range(16)))
    finally:
        await other.close()
    assert placed.count("placed") == 3


async def test_they_are_counted_by_an_index(database: Database) -> None:
    def plan(connection: Connection) -> str:
        sqlite = connection.dialect.name == "sqlite"
        if not sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        with recorded(connection) as seen:
            placement.place(connection, order(1), desk_settings(), now())
        ((text, values),) = [found for found in seen if "count(" in found[0]]
        explained = connection.exec_driver_sql(
            f"{'EXPLAIN QUERY PLAN' if sqlite else 'EXPLAIN'} {text}", values
        )
        return " ".join(str(row) for row in explained)

    await database.write(stocked)
    assert "purchases_unpaid_of_phone" in await database.write(plan)


async def test_seqr_is_told_to_come_again(sqlite_only: Database) -> None:
    async with at_work(sqlite_only, unpaid_per_phone=1) as shop:
        await shop.buy()
        async with shop.http.post(
            f"{shop.base_url}/seqr/createPurchase", json={**ORDER, "clientName": "Bengt Ek"}
        ) as answer:
            told = await answer.json()
            assert (answer.status, answer.headers["Retry-After"]) == (429, "30")
    assert told["errorCode"] == "TOO_MANY_REQUESTS"
    rows = await sqlite_only.read(lambda connection: connection.execute(purchases.select()).all())
    assert len(rows) == 1
