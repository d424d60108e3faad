"""Counting by hand: what it does to one product, what the merchant is told, and whom it wakes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from orchestrator import stock
from orchestrator.database import Database
from orchestrator.product import LARGEST_STOCK
from orchestrator.stock import Restock, StockMoved
from orchestrator.tables import products
from statemachine import Action
from tests.fixtures.desk import BENGT, MUG, Clock, Desk
from tests.integration.orchestrator.stock.test_stock import level, movements

AT = Clock()()


async def test_whoever_counts_is_told_what_it_was_and_is(shelf: Database) -> None:
    assert await shelf.write(stock.receive, "mug", 5, "delivery", "cli", AT) == Restock(10, 15, woken=0)
    assert await shelf.write(stock.receive, "mug", -14, "broken", "cli", AT) == Restock(15, 1, woken=0)
    assert await shelf.write(stock.receive, "mug", 1, "delivery", "cli", AT) == Restock(1, 2, woken=0)
    assert await shelf.write(stock.correct, "mug", 0, "counted", "cli", AT) == Restock(2, 0, woken=0)
    assert await shelf.write(stock.correct, "mug", 0, "counted", "cli", AT) == Restock(0, 0, woken=0)
    assert [kind for kind, *_ in await movements(shelf)] == ["receive", "remove", "receive", "correct"]


async def test_as_many_as_there_may_be_are_counted(shelf: Database) -> None:
    await shelf.write(stock.receive, "mug", LARGEST_STOCK - 10, "delivery", "cli", AT)
    assert await level(shelf) == (LARGEST_STOCK, 0)
    await shelf.write(stock.correct, "spoon", LARGEST_STOCK, "counted", "cli", AT)
    assert await level(shelf, "spoon") == (LARGEST_STOCK, 0)


async def test_a_product_tells_when_its_stock_was_counted(shelf: Database) -> None:
    at = AT + timedelta(days=1)
    await shelf.write(stock.receive, "mug", 5, "delivery", "cli", at)

    def changed(connection: Connection) -> dict[str, datetime]:
        return {row.token: row.updated_at for row in connection.execute(select(products))}

    found = await shelf.read(changed)
    assert [token for token, updated_at in found.items() if updated_at == at] == ["mug"]


async def test_a_count_of_what_has_moved_since_it_was_looked_at_is_refused(shelf: Database) -> None:
    with pytest.raises(StockMoved) as moved:
        await shelf.write(stock.correct, "mug", 7, "counted", "cli", AT, seen=9)
    assert (moved.value.seen, moved.value.on_hand) == (9, 10)
    assert moved.value.message == "mug had 9 on hand when you looked and has 10 now: look again."
    await shelf.write(stock.correct, "mug", 7, "counted", "cli", AT, seen=10)
    assert await level(shelf) == (7, 0)


async def test_only_what_waits_for_the_product_is_woken(desk: Desk) -> None:
    """One that is paid and lacks mugs, one that is paid and lacks spoons, and one that is not paid."""
    bought = []
    for order in (MUG, replace(BENGT, purchase_token="spoon"), BENGT):
        bought.append(await desk.buy(order))
        desk.clock.turn(0.1)
    for token in ("mug", "spoon"):
        await desk.empty_shelf(token)
    desk.seqr.pay("R1")
    desk.seqr.pay("R2")
    for purchase_id in bought[:2]:
        await desk.act(purchase_id, Action.CHECK)
    before = [row["next_check_at"] for row in await desk.purchases()]
    assert before[:2] == [None, None]
    woken = await desk.database.write(stock.receive, "mug", 1, "delivery", "cli", desk.clock())
    assert woken == Restock(0, 1, woken=1)
    assert [row["next_check_at"] for row in await desk.purchases()] == [desk.clock(), *before[1:]]
