"""One run: the real program on a database of its own, SEQR, the mail server and the customers around it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from bench.databases import empty_database, run_directory
from bench.process import Cost, cost
from bench.shop import PRODUCT, Shop, shop
from endurance.audit import audit
from endurance.bank import Bank, open_bank
from endurance.books import Books, read, unfinished
from endurance.customers import Customers, Moments, Plan
from endurance.mailbox import Mailbox, open_mailbox
from endurance.record import Outcome
from orchestrator.database import Database, open_database

REST_LIMIT = 60.0
"""Seconds after the last payment in which everything must have come to rest; then it is judged as it is."""

_SAY_EVERY = 15.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """What a run happens on."""

    shop: Shop
    bank: Bank
    mailbox: Mailbox
    database: Database


async def endure(
    mode: str, moments: Moments, database: str, plan: Plan, home: Path, say: Say, seed: int = 1
) -> Outcome:
    """Run it and judge it. Files go below ``home`` as long as it runs. Raises BenchError."""
    with run_directory(home) as place, empty_database(database, place) as url:
        async with _stage(database, url, place) as stage:
            customers = Customers(stage.shop, stage.bank, plan, moments, Random(seed))
            began_at, began, before, load = datetime.now(UTC), time.monotonic(), cost(stage.shop.pid), _load()
            await _told(customers, f"{mode} on {database}", say)
            seconds, after = time.monotonic() - began, cost(stage.shop.pid)
            await _rest(stage)
            books = await stage.database.read(read)
        return _outcome(mode, stage, books, customers, began_at, seconds, (before, after), (load, _load()))


@asynccontextmanager
async def _stage(database: str, url: str, place: Path) -> AsyncIterator[Stage]:
    """The program with the settings that it has by itself, a mail server set."""
    async with open_bank() as (bank, endpoint), open_mailbox() as mailbox:
        settings = {"ORCHESTRATOR_SMTP_URL": mailbox.url}
        async with shop(database, url, endpoint, place, settings) as served:
            opened = open_database(url)
            try:
                yield Stage(served, bank, mailbox, opened)
            finally:
                await opened.close()


async def _told(customers: Customers, where: str, say: Say) -> None:
    """Let the customers buy, and say every now and then how far they are."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(_SAY_EVERY)
            say(f"{where}: {customers.paid:,} of {customers.plan.count:,} paid")

    telling = asyncio.create_task(tell())
    try:
        await customers.run()
    finally:
        telling.cancel()


async def _rest(stage: Stage) -> None:
    """Until SEQR waits for nothing, and nothing waits to be done."""
    deadline = time.monotonic() + REST_LIMIT
    while time.monotonic() < deadline:
        if not stage.bank.waiting() and not await stage.database.read(unfinished):
            return
        await asyncio.sleep(0.2)


def _outcome(
    mode: str,
    stage: Stage,
    books: Books,
    customers: Customers,
    began_at: datetime,
    seconds: float,
    costs: tuple[Cost, Cost],
    load: tuple[float, float],
) -> Outcome:
    invoices = stage.bank.invoices.values()
    before, after = costs
    return Outcome(
        mode=mode,
        database=stage.shop.database,
        began_at=began_at,
        seconds=seconds,
        crowd=customers.fewest,
        asked=sum(len(invoice.asked) for invoice in invoices),
        cpu_share=(after.cpu_ms - before.cpu_ms) / seconds / 1000,
        rss_mb=after.rss_mb,
        load=load,
        errors=tuple(stage.shop.errors),
        verdict=audit(invoices, books, stage.mailbox.taken, int(str(PRODUCT["on_hand"]))),
    )


def _load() -> float:
    return os.getloadavg()[0]
