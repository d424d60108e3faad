"""Notification, poll, cancel, retry, expiry and a second process, in every order: two at a time whatever SEQR
says, five at once while the customer pays.

All meet where they know the same, and only then does anybody write. Whatever the order: the purchase ends
where SEQR has the invoice, with one move of the stock and at most one mail.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import permutations, product

import pytest
from sqlalchemy import Connection, select, update

from orchestrator.database import Database, open_database
from orchestrator.tables import invoice_attempts, journal, outbox, products, purchases, stock_movements
from tests.fixtures.desk import MUG
from tests.fixtures.races import PARTIES, HonestSeqr, Racecourse, Stop
from tests.fixtures.shop import stocked

PAIRS = [*permutations(PARTIES, 2), *((party, party) for party in PARTIES)]
FIVE = ("notification", "poll", "cancel", "expiry", "replica")
WORLDS = ("paid", "paid meanwhile", "unpaid", "51", "48")
AT_ONCE = 8


@pytest.fixture
async def course(database: Database, database_url: str) -> AsyncIterator[Racecourse]:
    def many(connection: Connection) -> None:
        stocked(connection)
        connection.execute(update(products).values(on_hand=2000).where(products.c.token == "mug"))

    await database.write(many)
    there = open_database(database_url)
    yield Racecourse(database, there, HonestSeqr())
    await there.close()


async def race(course: Racecourse, number: int, parties: tuple[str, ...], stop: Stop, world: str) -> str:
    """One race from the order to the end; returns what is wrong with how it ended, or nothing."""
    order = replace(MUG, email=f"buyer{number}@example.com")
    reference = await course.settlement().place(order)
    purchase_id = str(await course.here.read(owner, reference))

    def pay() -> None:
        course.seqr.in_progress.pop(reference, None)
        if course.seqr.books[reference].status == "ISSUED":
            course.seqr.pay(reference)

    if world == "paid":
        pay()
    if world in ("51", "48"):
        course.seqr.in_progress[reference] = int(world)
    await course.run(purchase_id, parties, stop, pay if world == "paid meanwhile" else lambda: None)
    if world in ("51", "48"):
        pay()
    unwatched = await course.here.read(is_forgotten, purchase_id)
    for _ in range(3):
        await course.settlement().check(purchase_id, "poll")
    status = course.seqr.books[reference].status
    found = await course.here.read(ending, purchase_id)
    right = found == ENDINGS[status] and not unwatched
    return "" if right else f"{parties} {stop} {world}: SEQR has {status}, we have {found}"


Ending = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]
ENDINGS: dict[str, Ending] = {
    "PAID": ("stocked", ("invoice", "pay", "place", "stock"), ("hold", "take"), ("order_confirmation",)),
    "CANCELED": ("failed", ("close", "invoice", "place"), ("hold", "release"), ()),
    "ISSUED": ("invoiced", ("invoice", "place"), ("hold",), ()),
}
"""By what SEQR has: our state, the journal's moves, the stock's moves, the mails."""


def owner(connection: Connection, reference: str) -> str:
    c = invoice_attempts.c
    return str(connection.execute(select(c.purchase_id).where(c.reference == reference)).scalar_one())


def ending(connection: Connection, purchase_id: str) -> Ending:
    state = connection.execute(select(purchases.c.state).where(purchases.c.id == purchase_id)).scalar_one()
    columns = (journal.c.trigger, stock_movements.c.kind, outbox.c.kind)
    told = [
        tuple(sorted(connection.execute(select(it).where(it.table.c.purchase_id == purchase_id)).scalars()))
        for it in columns
    ]
    moves = tuple(trigger for trigger in told[0] if trigger != "cancel_asked")
    return state, moves, told[1], told[2]


def is_forgotten(connection: Connection, purchase_id: str) -> bool:
    """Whether it has an invoice that may be paid, and nobody will look at it."""
    c = purchases.c
    row = connection.execute(select(c.state, c.next_check_at).where(c.id == purchase_id)).one()
    return row.state == "invoiced" and row.next_check_at is None


async def all_of(
    course: Racecourse, groups: Sequence[tuple[str, ...]], stops: Sequence[Stop], world: str
) -> int:
    """Run every group at every stop in a world, some at once; returns how many there were."""
    cases = list(product(groups, stops))
    lanes = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, parties: tuple[str, ...], stop: Stop) -> str:
        async with lanes:
            return await race(course, number, parties, stop, world)

    complaints = await asyncio.gather(*(one(number, *case) for number, case in enumerate(cases)))
    assert [complaint for complaint in complaints if complaint] == []
    return len(cases)


@pytest.mark.parametrize("stop", [Stop.LOOKED, Stop.ANSWERED])
@pytest.mark.parametrize("world", WORLDS)
async def test_two(course: Racecourse, world: str, stop: Stop) -> None:
    assert await all_of(course, PAIRS, [stop], world) == 36


@pytest.mark.parametrize("first", FIVE)
async def test_five_at_once(course: Racecourse, first: str) -> None:
    orders = [order for order in permutations(FIVE) if order[0] == first]
    assert await all_of(course, orders, [Stop.ANSWERED], "paid meanwhile") == 24
