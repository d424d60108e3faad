"""Whatever becomes of the notification: SEQR is asked in time, with the settings as they come."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Connection, select, update

from orchestrator.identity import now
from orchestrator.tables import purchases
from orchestrator.watch import FRESH
from sandbox.booking import BookedInvoice
from sandbox.faults import FaultKind, NotificationFaults, OperationFault
from tests.acceptance.gate import Gate
from tests.acceptance.premises import Nursery, Premises, premises
from tests.fixtures import invariants
from tests.fixtures.shop import until

DEAF = NotificationFaults(lost=True)


@pytest.fixture
async def usual(database_url: str, nursery: Nursery, tmp_path: Path) -> AsyncIterator[Premises]:
    """A shop with the settings as they come, and one process; no notification reaches it."""
    async with premises(database_url, nursery, tmp_path / "processes.log") as shop:
        shop.sandbox.faults.notifications = DEAF
        await shop.start()
        yield shop


async def orders(shop: Premises, count: int) -> list[BookedInvoice]:
    """The invoices of so many customers' spoons."""
    bought = (shop.buy(purchaseToken="spoon", email=f"buyer{number}@example.com") for number in range(count))
    return [shop.sandbox.ledger.invoice(reference) for reference in await asyncio.gather(*bought)]


async def pay_at_random(shop: Premises, invoices: Sequence[BookedInvoice], seconds: float) -> None:
    """Each is paid at some moment of the next seconds."""
    loop, moments = asyncio.get_running_loop(), random.Random(2)
    for booked in invoices:
        loop.call_later(moments.uniform(0, seconds), shop.sandbox.ledger.pay, booked.reference)
    await until(lambda: all_asked(invoices), 25)


async def all_asked(invoices: Sequence[BookedInvoice]) -> bool:
    """Whether all are paid and asked about."""
    return all(booked.seconds_to_first_ask is not None for booked in invoices)


async def all_stocked(shop: Premises) -> bool:
    """Whether every purchase came to its end."""
    return {purchase["state"] for purchase in await shop.purchases()} == {"stocked"}


def waits(invoices: Sequence[BookedInvoice]) -> list[float]:
    """The seconds from each payment to our question, the longest first."""
    return sorted((booked.seconds_to_first_ask or 0.0 for booked in invoices), reverse=True)


async def test_seqr_hears_from_us_within_five_seconds(usual: Premises) -> None:
    old = await orders(usual, 10)
    await usual.write(age)
    fresh = (await orders(usual, 20))[10:]

    await pay_at_random(usual, old + fresh, seconds=4)

    assert waits(old)[0] < 5
    assert waits(fresh)[0] < 5
    await until(lambda: all_stocked(usual))
    await usual.check()


def age(connection: Connection) -> None:
    """As if every purchase there is were no longer fresh."""
    past = now() - FRESH - timedelta(minutes=1)
    connection.execute(update(purchases).values(received_at=past))


async def test_a_slow_seqr_keeps_nobody_else_from_being_asked(usual: Premises) -> None:
    invoices = await orders(usual, 20)
    usual.sandbox.faults.set("getPaymentStatus", OperationFault(latency=3, times=8))

    await pay_at_random(usual, invoices, seconds=1)

    assert waits(invoices)[8] < 3
    assert waits(invoices)[0] < 10
    await until(lambda: all_stocked(usual))
    await usual.check()


@pytest.mark.parametrize("kind", [FaultKind.HTTP_500, FaultKind.CUT_BEFORE])
async def test_payments_made_while_seqr_fails_are_found_when_it_is_back(
    usual: Premises, kind: FaultKind
) -> None:
    invoices = await orders(usual, 15)
    usual.sandbox.faults.set("getPaymentStatus", OperationFault(kind))
    for booked in invoices:
        usual.sandbox.ledger.pay(booked.reference)
    await until(lambda: failed_often(usual))
    await usual.write(fail_for_long)
    await until(lambda: some_failed_again(usual))
    usual.sandbox.faults.clear("getPaymentStatus")

    back_at = time.monotonic()
    await until(lambda: all_asked(invoices), 20)
    assert max(booked.first_asked_at or 0 for booked in invoices) - back_at < 6
    await until(lambda: all_stocked(usual))
    await usual.check()


def fail_for_long(connection: Connection) -> None:
    """As if SEQR had been asked in vain many times, and were asked again now."""
    connection.execute(update(purchases).values(checks_failed=50, next_check_at=now()))


async def some_failed_again(shop: Premises) -> bool:
    """Whether SEQR was tried again in vain after that; it is tried with one of them after the other."""
    async with shop.database() as database:
        books = await database.read(invariants.read)
    return len([1 for purchase in books.purchases if purchase["checks_failed"] > 50]) >= 3


async def failed_often(shop: Premises) -> bool:
    """Whether the reconciler has met enough failures to hold SEQR for down."""
    statement = select(purchases.c.checks_failed)

    def failures(connection: Connection) -> int:
        return sum(connection.execute(statement).scalars())

    async with shop.database() as database:
        return await database.read(failures) >= 12


async def test_payments_made_while_seqr_cannot_be_reached_are_found_when_it_is_back(
    database_url: str, nursery: Nursery, tmp_path: Path
) -> None:
    async with premises(database_url, nursery, tmp_path / "processes.log") as shop:
        endpoint = urlsplit(shop.sandbox.soap_url)
        async with Gate(endpoint.port or 0) as gate:
            shop.sandbox.faults.notifications = DEAF
            shop.settings["seqr_endpoint"] = f"http://127.0.0.1:{gate.port}{endpoint.path}"
            await shop.start()
            invoices = await orders(shop, 15)
            await gate.shut()
            for booked in invoices:
                shop.sandbox.ledger.pay(booked.reference)
            assert (await shop.order(email="new@example.com"))[0] == 503
            await until(lambda: failed_often(shop))
            await gate.open()

            await until(lambda: all_asked(invoices), 20)
            newest = await shop.buy(email="new@example.com")
            shop.sandbox.ledger.pay(newest)
            await until(lambda: all_stocked(shop))
            await shop.check()
            for life in shop.lives:
                await life.kill()
