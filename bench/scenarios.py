"""What customers do: order, and pay."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace

from bench.errors import BenchError
from bench.load import Limits, Run, closed_loop
from bench.seqr import StubSeqr
from bench.shop import Shop

SETTLE_LIMIT = 30.0
"""Seconds after which a paid purchase that is not stocked yet is an error."""


async def create_purchases(shop: Shop, connections: int, limits: Limits) -> tuple[Run, list[str]]:
    """createPurchase until the limits; returns what it took, and the references of the open invoices."""
    references: list[str] = []

    async def order(_: int) -> None:
        references.append(await shop.create_purchase())

    run = await closed_loop(order, range(limits.requests), connections, shop.pid, limits.seconds)
    return run, references


async def settle(
    shop: Shop, seqr: StubSeqr, references: Iterable[str], connections: int
) -> tuple[Run, list[float]]:
    """Pay and notify until every purchase is stocked: nothing is left over for whatever is measured next.

    Returns the run, each latency from the notification until the purchase is stocked, and the latencies in ms
    from the notification until SEQR was asked.
    """
    addresses = await seqr.notification_addresses()
    notified: dict[str, float] = {}
    stocked: dict[str, float] = {}

    async def pay(reference: str) -> None:
        address = addresses[reference]
        expected = shop.expect(address)
        await seqr.pay(reference)
        notified[reference] = time.time()
        await shop.notify(address)
        stocked[reference] = await within_limit(expected, reference, shop)

    run = await closed_loop(pay, references, connections, shop.pid)
    asked = await seqr.asked_at()
    until_stocked = [(stocked[reference] - began) * 1000 for reference, began in notified.items()]
    until_asked = [(asked[reference] - began) * 1000 for reference, began in notified.items()]
    return replace(run, latencies=until_stocked), until_asked


async def within_limit(expected: asyncio.Future[float], reference: str, shop: Shop) -> float:
    """When an expected purchase was stocked. Raises BenchError when it was not in time."""
    try:
        return await asyncio.wait_for(expected, SETTLE_LIMIT)
    except TimeoutError:
        what = f"Invoice {reference} of {shop.name} was paid, and not stocked in {SETTLE_LIMIT:g} s."
        raise BenchError("\n".join([what, *shop.last_words])) from None
