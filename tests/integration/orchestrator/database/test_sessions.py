"""That nothing outlives its transaction on a connection to PostgreSQL: who pools connections may lend each
transaction another one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import Connection, text

from orchestrator.app import erase, prune
from orchestrator.database import Database
from orchestrator.postgresql import PostgresqlDatabase
from orchestrator.tally import run_once
from statemachine import Action
from tests.fixtures.shop import at_work

LEFT = {
    "locks": "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
    "temporary tables": "SELECT count(*) FROM pg_class WHERE relpersistence = 't'",
    "channels": "SELECT count(*) FROM pg_listening_channels()",
    "cursors": "SELECT count(*) FROM pg_cursors WHERE is_holdable",
    # The transaction's own are over with it.
    "settings": "SELECT count(*) FROM pg_settings WHERE source = 'session' AND setting <> reset_val "
    "AND name NOT LIKE 'transaction%'",
}


@pytest.fixture
async def one_connection(
    make_postgres_database: Callable[[str], str], postgres_template: str
) -> AsyncIterator[Database]:
    """A database that everything reaches by the same connection."""
    database = PostgresqlDatabase(make_postgres_database(postgres_template), pool_size=1)
    yield database
    await database.close()


def _left(connection: Connection) -> dict[str, int]:
    return {what: connection.execute(text(words)).scalar_one() for what, words in LEFT.items()}


async def test_a_sale_leaves_nothing_on_the_connection(one_connection: Database) -> None:
    nothing = await one_connection.read(_left)
    assert nothing == dict.fromkeys(LEFT, 0)
    async with at_work(one_connection, poll_interval=0.2, customer_retention_days=1) as shop:
        shop.sandbox.ledger.pay(await shop.buy())
        purchase = await shop.until_state("stocked")
        await shop.buy(email="another@example.com")
        cancelled = next(row for row in await shop.purchases() if row["id"] != purchase["id"])
        await shop.parts.settlement.act(cancelled["id"], Action.CANCEL, "ada")
        await shop.parts.settlement.act(cancelled["id"], Action.RETRY, "ada")
        await run_once(one_connection)
        await prune(shop.parts)
        await erase(shop.parts)
    assert await one_connection.read(_left) == nothing
