"""Two processes on one PostgreSQL: when one freezes, the other takes its purchases up in time, and what the
frozen one still wanted to write when it is woken does not count."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from sandbox.faults import NotificationFaults
from tests.acceptance.crashing import Crash
from tests.acceptance.premises import Nursery, Premises, premises
from tests.fixtures.shop import until

IN_TIME = 8.0
"""Seconds in which another process looks at what one has left."""


@pytest.fixture
async def two(
    make_postgres_database: Callable[[str], str], postgres_template: str, nursery: Nursery, tmp_path: Path
) -> AsyncIterator[Premises]:
    """A shop for two processes, with the settings as they come; no notification reaches it."""
    url = make_postgres_database(postgres_template)
    async with premises(url, nursery, tmp_path / "processes.log", places=2) as shop:
        shop.sandbox.faults.notifications = NotificationFaults(lost=True)
        yield shop


@pytest.mark.parametrize(
    "point",
    [
        Crash("watch.claim", "before", freezes=True),
        Crash("seqr.payment_status", "after", status="PAID", freezes=True),
        Crash("outcome.record_status", "before", status="PAID", freezes=True),
    ],
    ids=str,
)
async def test_a_payment_is_learnt_though_who_asked_is_frozen(two: Premises, point: Crash) -> None:
    frozen = await two.start(point)
    if point.status:
        two.sandbox.ledger.pay(await two.buy())
        await frozen.until_frozen()
        began = time.monotonic()
        await two.start(place=1)
    else:
        other = await two.start(place=1)
        reference = await two.buy()
        other.freeze()  # or it may claim the purchase first, each time
        await frozen.until_frozen()
        other.wake()
        began = time.monotonic()
        two.sandbox.ledger.pay(reference)

    await until(lambda: has_learnt(two))
    assert time.monotonic() - began < IN_TIME
    frozen.wake()
    await until(lambda: is_served(two))
    await until(lambda: is_told(two))
    assert await two.at_rest()


async def has_learnt(shop: Premises) -> bool:
    """Whether the second process shows the one purchase as stocked."""
    status, answer = await shop.call("GET", "/purchases?limit=2", place=1)
    return status == 200 and [purchase["state"] for purchase in answer["items"]] == ["stocked"]


async def is_told(shop: Premises) -> bool:
    """Whether the one purchase is stocked, right in all books, and its mail is written."""
    books = await shop.check()
    assert [purchase["state"] for purchase in books.purchases] == ["stocked"]
    return [mail["state"] for mail in books.mails] == ["kept"]


async def is_served(shop: Premises) -> bool:
    """Whether the process that was frozen answers again."""
    status, _ = await shop.call("GET", "/purchases?limit=1")
    return status == 200
