"""A busy shop while something terrible happens to it: customers who order, pay and count on it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, Select, func, select, update

from orchestrator import stock
from orchestrator.database import DatabaseUnavailable
from orchestrator.identity import now
from orchestrator.tables import outbox, purchases
from sandbox.booking import BookedInvoice
from sandbox.errors import Refusal
from sandbox.faults import NotificationFaults
from tests.acceptance.premises import Premises
from tests.fixtures import invariants
from tests.fixtures.shop import until
from tests.integration.orchestrator.mail.conftest import Post

IN_TIME = 8.0
"""Seconds in which what a process has left is looked at by another, or by itself after a restart."""

_EACH = 0.15
_ONE_ANSWER = 3.0
_PAUSE = 0.25
_LONGEST = 60.0
_MUCH = 100_000

_UNDER_WAY = select(func.count()).where(purchases.c.state.in_(("received", "invoiced", "paid")))
_WAITING = select(func.count()).where(outbox.c.state == "queued")


@dataclass
class Trade:
    """Customers, one every 0.15 s, at each place in turn. No notification comes: SEQR has to be asked.

    Who gets no answer repeats the order at the next place, as SEQR does through a load balancer. Each pays
    within two seconds, whatever goes on in the shop.
    """

    shop: Premises
    post: Post
    places: int = 1
    paid: list[BookedInvoice] = field(default_factory=list)
    _held: set[str] = field(default_factory=set)
    _customers: set[asyncio.Task[None]] = field(default_factory=set)
    _moments: random.Random = field(default_factory=lambda: random.Random(4))

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """Customers come as long as the block lasts; at its end all have got what they paid for."""
        await self.shop.write(stock.receive, "mug", _MUCH, "delivery", "cli", now())
        self.shop.sandbox.faults.notifications = NotificationFaults(lost=True)
        coming = asyncio.create_task(self._come())
        try:
            await self.until_paid(20)
            yield
            await self.until_paid(20)
        finally:
            coming.cancel()
        await asyncio.wait_for(asyncio.gather(*self._customers), _LONGEST)
        await until(lambda: self._is_over(_UNDER_WAY), _LONGEST)
        await self.shop.write(_end_leases)
        await until(lambda: self._is_over(_WAITING), _LONGEST)

    async def until_paid(self, more: int) -> None:
        """Wait for so many further payments."""
        enough = len(self.paid) + more

        async def are_there() -> bool:
            return len(self.paid) >= enough

        await until(are_there, _LONGEST)

    async def taken_up(self, blow: Callable[[], Awaitable[None]]) -> float:
        """Strike; returns after how many seconds the last invoice in a customer's hand was asked about."""
        invoices = self.shop.sandbox.ledger.invoices
        asked = {booked.reference: booked.asks for booked in invoices if booked.reference in self._held}
        began = time.monotonic()
        await blow()

        async def all_are() -> bool:
            found = (self.shop.sandbox.ledger.invoice(reference) for reference in asked)
            return all(booked.asks > asked[booked.reference] for booked in found)

        await until(all_are, _LONGEST)
        return time.monotonic() - began

    async def check(self) -> invariants.Books:
        """Everything that must hold afterwards, in our books, SEQR's and the mailboxes."""
        books = await self.shop.check()
        stocked = [purchase for purchase in books.purchases if purchase["state"] == "stocked"]
        assert len(stocked) == len(self.paid)
        received = Counter(str(mail["Message-ID"]) for mail in self.post.taken)
        assert len(received) == len(books.mails)
        assert max(received.values()) <= 2, "at most one duplicate, and it is recognised"
        return books

    @property
    def longest_wait(self) -> float:
        """Seconds from a payment to our question about it, at most; SEQR waits for 20."""
        return max(booked.seconds_to_first_ask or 0.0 for booked in self.paid)

    async def _come(self) -> None:
        number = 0
        while True:
            number += 1
            self._customers.add(asyncio.create_task(self._buy(number)))
            await asyncio.sleep(_EACH)

    async def _buy(self, number: int) -> None:
        reference = await self._order(number)
        self._held.add(reference)
        await asyncio.sleep(self._moments.uniform(0, 2))
        self._held.remove(reference)
        try:
            self.paid.append(self.shop.sandbox.ledger.pay(reference))
        except Refusal:  # the shop has closed the invoice: nothing is bought, and nothing paid
            return

    async def _order(self, number: int) -> str:
        for again in range(int(_LONGEST / _PAUSE)):
            try:
                async with asyncio.timeout(_ONE_ANSWER):
                    status, answer = await self.shop.order(
                        (number + again) % self.places, email=f"{number}@example.com", msisdn=str(number)
                    )
            except TimeoutError:
                status, answer = 0, {}
            if status == 200:
                return str(answer["invoiceReferenceId"])
            assert status in (0, 503), answer
            await asyncio.sleep(_PAUSE)
        raise TimeoutError(f"customer {number} got no answer")

    async def _is_over(self, rows: Select[int]) -> bool:
        try:
            async with self.shop.database() as database:
                return not await database.read(lambda connection: connection.execute(rows).scalar_one())
        except DatabaseUnavailable:
            return False


def _end_leases(connection: Connection) -> None:
    """As if two minutes had passed: a mail that a process has left half sent waits so long."""
    connection.execute(update(outbox).where(outbox.c.state == "queued").values(next_attempt_at=now()))
