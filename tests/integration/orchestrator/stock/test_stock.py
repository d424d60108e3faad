"""The stock: never negative, never promised twice, every change with its movement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from orchestrator import outcome, stock
from orchestrator.database import Database, open_database
from orchestrator.identity import new_id
from orchestrator.stamp import Stamp
from orchestrator.stock import BookedAlready, StockError
from orchestrator.tables import products, stock_movements
from statemachine import Action
from tests.fixtures.desk import BENGT, MUG, Clock, Desk
from tests.fixtures.seqr import answered
from tests.fixtures.shelf import hold as hold_goods
from tests.fixtures.shop import until
from tests.fixtures.uncommitted import uncommitted, until_it_waits

AT = Clock()()
STAMP = Stamp("cli", AT)


@pytest.fixture
async def other(shelf: Database, database_url: str) -> AsyncIterator[Database]:
    """A second process on the same database."""
    opened = open_database(database_url)
    yield opened
    await opened.close()


async def level(database: Database, token: str = "mug") -> tuple[int, int]:
    def read(connection: Connection) -> tuple[int, int]:
        row = connection.execute(products.select().where(products.c.token == token)).one()
        return row.on_hand, row.reserved

    return await database.read(read)


async def movements(database: Database) -> list[tuple[str, str, int, int, str]]:
    columns = stock_movements.c

    def read(connection: Connection) -> list[tuple[str, str, int, int, str]]:
        rows = connection.execute(stock_movements.select().order_by(columns.id))
        return [(row.kind, row.product_token, row.on_hand, row.reserved, row.reason) for row in rows]

    return await database.read(read)


def hold(connection: Connection, purchase_id: str, needs: dict[str, int]) -> str:
    return hold_goods(connection, purchase_id, needs, STAMP)


async def test_a_hold_reserves_all_or_nothing(shelf: Database) -> None:
    assert await shelf.write(hold, "p1", {"mug": 4, "spoon": 20}) == ""
    assert (await level(shelf), await level(shelf, "spoon")) == ((10, 4), (20, 20))
    assert await shelf.write(hold, "p2", {"mug": 1, "spoon": 1}) == "1 × spoon (0 left)"
    assert await shelf.write(hold, "p3", {"mug": 7}) == "7 × mug (6 left)"
    assert await shelf.write(hold, "p4", {"nothing": 1}) == "1 × nothing (0 left)"
    assert (await level(shelf), await level(shelf, "spoon")) == ((10, 4), (20, 20))
    assert await movements(shelf) == [("hold", "mug", 0, 4, ""), ("hold", "spoon", 0, 20, "")]


async def test_the_last_pieces_are_held_once_from_two_processes(shelf: Database, other: Database) -> None:
    wishes = [
        (shelf if number % 2 else other).write(hold, f"p{number}", {"mug": 1, "spoon": 1})
        for number in range(24)
    ]
    missing = await asyncio.gather(*wishes)
    assert missing.count("") == 10
    assert set(missing) == {"", "1 × mug (0 left)"}
    assert (await level(shelf), await level(shelf, "spoon")) == ((10, 10), (20, 10))


async def test_what_was_never_reserved_cannot_be_given_back(desk: Desk) -> None:
    purchase_id = await desk.buy()
    await desk.database.write(lambda connection: connection.execute(products.update().values(reserved=0)))
    with pytest.raises(StockError, match="cannot give back what was not reserved: 1 × mug"):
        await desk.database.write(stock.release, purchase_id, 2, STAMP)
    assert await desk.stock() == (10, 0)


async def test_counting_in_and_out(shelf: Database) -> None:
    await shelf.write(stock.receive, "mug", 5, "delivery", "cli", AT)
    await shelf.write(stock.receive, "mug", -15, "broken", "cli", AT)
    assert await level(shelf) == (0, 0)
    await shelf.write(stock.correct, "mug", 7, "counted", "cli", AT)
    await shelf.write(stock.correct, "mug", 7, "counted again", "cli", AT)
    assert await level(shelf) == (7, 0)
    assert await movements(shelf) == [
        ("receive", "mug", 5, 0, "delivery"),
        ("remove", "mug", -15, 0, "broken"),
        ("correct", "mug", 7, 0, "counted"),
    ]


async def test_every_movement_names_its_purchase_and_its_hold(desk: Desk) -> None:
    purchase_id = await desk.buy(replace(MUG, purchase_token="set"))
    await desk.act(purchase_id, Action.CANCEL)
    await desk.act(purchase_id, Action.RETRY)
    desk.seqr.pay("R2")
    await desk.tick(2)
    rows = await desk.rows(stock_movements, stock_movements.c.id)
    assert {row["purchase_id"] for row in rows} == {purchase_id}
    found = sorted(
        (row["round"], row["kind"], row["product_token"], row["on_hand"], row["reserved"]) for row in rows
    )
    assert found == [
        (1, "hold", "mug", 0, 1),
        (1, "hold", "spoon", 0, 2),
        (1, "release", "mug", 0, -1),
        (1, "release", "spoon", 0, -2),
        (2, "hold", "mug", 0, 1),
        (2, "hold", "spoon", 0, 2),
        (2, "take", "mug", -1, -1),
        (2, "take", "spoon", -2, -2),
    ]
    assert (await desk.stock("mug"), await desk.stock("spoon")) == ((9, 0), (18, 0))


async def test_what_was_booked_since_the_form_was_drawn_is_not_booked_twice(
    shelf: Database, other: Database
) -> None:
    drawn = new_id()
    form = ("mug", 5, "delivery", "operator:olle", AT)
    twice = [each.write(stock.receive, *form, drawn=drawn) for each in (shelf, other)]
    results = await asyncio.gather(*twice, return_exceptions=True)
    (refused,) = [result for result in results if isinstance(result, BookedAlready)]
    assert refused.message == "It was booked a moment ago, and not a second time: mug has 15 on hand."
    assert refused.on_hand == 15
    assert await level(shelf) == (15, 0)


async def test_what_somebody_else_or_another_form_books_is_booked(shelf: Database) -> None:
    drawn = new_id()
    await shelf.write(stock.receive, "mug", 5, "delivery", "operator:olle", AT, drawn=drawn)
    await shelf.write(stock.receive, "mug", 5, "delivery", "operator:ada", AT, drawn=drawn)
    await shelf.write(stock.receive, "mug", 6, "delivery", "operator:olle", AT, drawn=drawn)
    await shelf.write(stock.receive, "mug", 5, "second box", "operator:olle", AT, drawn=drawn)
    await shelf.write(stock.receive, "spoon", 5, "delivery", "operator:olle", AT, drawn=drawn)
    await shelf.write(stock.receive, "mug", 5, "delivery", "operator:olle", AT, drawn=new_id())
    assert await level(shelf) == (36, 0)


@pytest.mark.parametrize("change", [0, -11, 999_999_991])
async def test_a_change_that_makes_no_sense_is_refused(shelf: Database, change: int) -> None:
    with pytest.raises(StockError, match="mug has 10 on hand"):
        await shelf.write(stock.receive, "mug", change, "x", "cli", AT)
    assert await level(shelf) == (10, 0)
    assert await movements(shelf) == []


@pytest.mark.parametrize("counted", [-1, 1_000_000_001])
async def test_a_count_that_makes_no_sense_is_refused(shelf: Database, counted: int) -> None:
    with pytest.raises(StockError, match=f"mug cannot have {counted} on hand"):
        await shelf.write(stock.correct, "mug", counted, "x", "cli", AT)
    assert await level(shelf) == (10, 0)


@pytest.mark.parametrize(("token", "words"), [("set", "set is a bundle"), ("saucer", "no product saucer")])
async def test_only_products_have_stock_of_their_own(shelf: Database, token: str, words: str) -> None:
    for change in (stock.receive, stock.correct):
        with pytest.raises(StockError, match=words):
            await shelf.write(change, token, 5, "x", "cli", AT)


async def test_changes_from_two_processes_add_up(shelf: Database, other: Database) -> None:
    both = [(shelf if number % 2 else other) for number in range(20)]
    await asyncio.gather(*[each.write(stock.receive, "mug", 1, "delivery", "cli", AT) for each in both])
    assert await level(shelf) == (30, 0)


async def test_removals_from_two_processes_stop_at_nothing(shelf: Database, other: Database) -> None:
    both = [(shelf if number % 2 else other) for number in range(14)]
    removals = [each.write(stock.receive, "mug", -1, "broken", "cli", AT) for each in both]
    results = await asyncio.gather(*removals, return_exceptions=True)
    assert [type(result) for result in results].count(StockError) == 4
    assert await level(shelf) == (0, 0)


async def test_a_count_below_what_was_promised_gives_the_goods_to_who_pays_first(desk: Desk) -> None:
    first, _ = await desk.buy(MUG), await desk.buy(BENGT)
    await desk.database.write(stock.correct, "mug", 1, "counted", "cli", desk.clock())
    desk.seqr.pay("R2")
    desk.seqr.pay("R1")
    await desk.act(first, Action.CHECK)
    await desk.tick(2)
    assert sorted(row["state"] for row in await desk.purchases()) == ["paid", "stocked"]
    assert await desk.stock() == (0, 1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_delivery_that_is_being_booked_in_is_not_missed(desk: Desk, database_url: str) -> None:
    """A payment is recorded while a delivery is written but not committed: the second sees the first."""
    await desk.buy()
    await desk.empty_shelf()
    desk.seqr.pay("R1")
    engine = create_async_engine("postgresql+asyncpg://" + database_url.removeprefix("postgresql://"))
    async with engine.connect() as delivery, engine.connect() as watcher:
        await delivery.run_sync(stock.receive, "mug", 1, "delivery", "cli", desk.clock())
        checking = asyncio.create_task(desk.tick(2))

        async def waits_or_is_over() -> bool:
            waiting = await watcher.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
            return checking.done() or waiting.scalar_one() > 0

        await until(waits_or_is_over)
        await delivery.commit()
        await checking
    await engine.dispose()
    await desk.tick()
    assert await desk.state() == ("stocked", None)
    assert await desk.stock() == (0, 0)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_delivery_waits_for_the_payment_that_found_nothing(desk: Desk, database_url: str) -> None:
    """A payment that lacked the goods is recorded but not committed: the delivery then wakes the purchase."""
    purchase_id = await desk.buy()
    await desk.empty_shelf()
    desk.seqr.pay("R1")
    attempt_id = (await desk.attempts())[0]["id"]
    said = answered(desk.seqr.books["R1"])
    stamp = Stamp("reconciler", desk.clock())
    payment = (outcome.record_status, attempt_id, said, desk.parts.settings, stamp)
    async with uncommitted(database_url, *payment):
        delivering = asyncio.create_task(desk.restock(1))
        await until_it_waits(database_url, delivering)
    await delivering
    assert (await desk.only())["state"] == "paid"
    await desk.tick()
    assert await desk.state() == ("stocked", None)
    assert await desk.story(purchase_id) == ["place", "invoice", "pay", "attention", "stock"]
