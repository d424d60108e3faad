"""PostgreSQL is restarted under load, and a synchronous standby takes its place while purchases run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Literal

import pytest

from orchestrator import migration
from orchestrator.database import open_database
from tests.chaos.cluster import Cluster, running_cluster
from tests.chaos.conftest import Open
from tests.chaos.trade import IN_TIME


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """A migrated PostgreSQL for one test."""
    with running_cluster() as running:
        database = open_database(running.url)
        await migration.migrate(database)
        await database.close()
        yield running


@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_postgresql_is_restarted(
    busy_shop: Open, cluster: Cluster, note: Callable[..., None], how: Literal["fast", "immediate"]
) -> None:
    async with busy_shop(cluster.url, 2, invoice_ttl=20) as trade:
        for place in range(2):
            await trade.shop.start(place=place)
        async with trade.going():
            waited = await trade.taken_up(lambda: asyncio.to_thread(cluster.restart, how))
        await trade.check()
        note(f"PostgreSQL restarted, {how}", trade, taken_up=waited)
        assert waited < IN_TIME


async def test_a_synchronous_standby_takes_over(
    busy_shop: Open, cluster: Cluster, note: Callable[..., None]
) -> None:
    await asyncio.to_thread(cluster.add_standby)
    async with busy_shop(cluster.url_of_both, 2, invoice_ttl=20) as trade:
        for place in range(2):
            await trade.shop.start(place=place)
        async with trade.going():
            waited = await trade.taken_up(lambda: asyncio.to_thread(cluster.fail_over))
        await trade.check()
        note("synchronous standby promoted", trade, taken_up=waited)
        assert waited < IN_TIME
