"""Two processes whose connections PgBouncer lends them for one transaction at a time, and fewer than they ask
for: nothing of ours may need the same connection twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from orchestrator import migration
from orchestrator.database import open_database
from sandbox.faults import NotificationFaults
from tests.acceptance.premises import Nursery, Premises, premises
from tests.fixtures.pgbouncer import running_pgbouncer, why_not
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.shop import until

pytestmark = pytest.mark.skipif(why_not() is not None, reason=f"{why_not()}")

BUYERS = 8


@pytest.fixture
def pooled(
    make_postgres_database: Callable[..., str], postgres_server: PostgresServer, tmp_path: Path
) -> Iterator[str]:
    """The address of an empty database behind PgBouncer."""
    url = make_postgres_database()
    with running_pgbouncer(postgres_server, tmp_path) as port:
        yield url.replace(f":{postgres_server.port}/", f":{port}/")


@pytest.fixture
async def two(pooled: str, nursery: Nursery, tmp_path: Path) -> AsyncIterator[Premises]:
    """A stocked shop of two processes behind PgBouncer, migrated through it too."""
    database = open_database(pooled)
    await migration.migrate(database)
    limits = await database.read(_limits)
    await database.close()
    assert limits == ["3s", "2s"]
    async with premises(pooled, nursery, tmp_path / "processes.log", places=2, poll_interval=0.2) as shop:
        for place in (0, 1):
            await shop.start(place=place)
        yield shop


def _limits(connection: Connection) -> list[str]:
    """What a connection waits for at most: idle in a transaction, and for a lock."""
    names = ("idle_in_transaction_session_timeout", "lock_timeout")
    return [str(connection.execute(text(f"SHOW {name}")).scalar_one()) for name in names]


async def test_what_is_bought_is_paid_and_stocked(two: Premises) -> None:
    references = await asyncio.gather(
        *(
            two.buy(number % 2, purchaseToken="spoon", email=f"{number}@example.com")
            for number in range(BUYERS)
        )
    )
    two.sandbox.faults.notifications = NotificationFaults(lost=True)
    for number, reference in enumerate(references):
        if number == BUYERS // 2:
            two.sandbox.faults.notifications = NotificationFaults()
        two.sandbox.ledger.pay(reference)

    await until(lambda: has_states(two, {"stocked": BUYERS}))
    await two.check()


async def test_two_who_ask_for_the_same_and_an_operator_are_right(two: Premises) -> None:
    twins = await asyncio.gather(two.buy(0), two.buy(1), two.buy(0), two.buy(1))
    assert len(set(twins)) == 1
    purchase = await two.only()
    assert await two.act("cancel", purchase["id"], 1) == 200
    assert (await two.only())["reason"] == "cancelled_by_merchant"
    assert await two.act("retry", purchase["id"], 0) == 200
    two.sandbox.ledger.pay((await two.only())["invoice_reference"])
    await until(lambda: has_states(two, {"stocked": 1}))
    await two.check()


async def has_states(shop: Premises, wanted: dict[str, int]) -> bool:
    """Whether the purchases are in these states, so many in each."""
    states = [purchase["state"] for purchase in await shop.purchases()]
    return {state: states.count(state) for state in states} == wanted
