"""The real program, served as a merchant serves it, in a process of its own with its own database."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process, create_subprocess_exec
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import aiohttp

from bench.errors import BenchError
from bench.process import end
from bench.seqr import ROOT
from orchestrator import migration
from orchestrator.database import open_database
from tests.fixtures.postgres import free_port

PRINCIPAL = "benchmark_terminal"
PASSWORD = "12345678"
TOKEN = "the token of the benchmark"
ADMIN_PASSWORD = "the password of the benchmark"
PRODUCT = {
    "title": "Mug",
    "price": {"currency": "SEK", "value": "149.00"},
    "tax_rate": "25",
    "sku": "MUG",
    "on_hand": 1_000_000,
}
ORDER = {
    "purchaseToken": "mug",
    "clientName": "Anna Svensson",
    "street": "Storgatan 1",
    "city": "Umeå",
    "state": "",
    "zip": "90325",
    "country": "Sweden",
    "email": "anna@example.com",
}
UNHURRIED = MappingProxyType({"ORCHESTRATOR_POLL_INTERVAL": "10"})
"""The reconciler as slow as it may be: what the benchmark measures is the customer's path."""
START_LIMIT = 60.0
"""Seconds that the program has to be ready; on an idle machine it takes one or two."""

_PURCHASE_STOCKED = "purchase.stocked"
_ERROR = '"level": "error"'
_WORDS_KEPT = 20
_LONGEST_WORDS = 2**20


@dataclass
class Shop:
    """A served shop.

    That a purchase is stocked is read from the program's own log, which says so after the commit: asking for
    it over HTTP would be load that no merchant has.
    """

    database: str
    process: Process
    address: str
    http: aiohttp.ClientSession
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    waiting: dict[str, asyncio.Future[float]] = field(default_factory=dict)
    last_words: deque[str] = field(default_factory=lambda: deque(maxlen=_WORDS_KEPT))
    errors: deque[str] = field(default_factory=lambda: deque(maxlen=_WORDS_KEPT))
    """What it logged last as an error."""

    @property
    def pid(self) -> int:
        return self.process.pid

    async def create_purchase(self) -> str:
        """One customer's order; returns the invoice reference. Raises BenchError."""
        order = ORDER | {"msisdn": f"4670{next(self.numbers):07d}"}
        async with self.http.post(f"{self.address}/seqr/createPurchase", json=order) as answer:
            body = await answer.json()
        if answer.status != 200:
            raise BenchError(f"createPurchase on {self.database} answered {answer.status}: {body}")
        return str(body["invoiceReferenceId"])

    async def purchase_of(self, reference: str) -> str:
        """The id of the purchase with this invoice. Raises BenchError."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        address = f"{self.address}/api/v1/purchases"
        async with self.http.get(address, params={"q": reference}, headers=headers) as answer:
            items = (await answer.json())["items"]
        if len(items) != 1:
            raise BenchError(f"Invoice {reference} on {self.database} belongs to {len(items)} purchases.")
        return str(items[0]["id"])

    def expect(self, notification_address: str) -> asyncio.Future[float]:
        """When the purchase behind an address is stocked, in seconds of the wall clock."""
        purchase_id = notification_address.rpartition("/")[2].partition(".")[0]
        stocked: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.waiting[purchase_id] = stocked
        return stocked

    async def notify(self, address: str) -> None:
        """Say that something happened to an invoice, as SEQR does. Raises BenchError."""
        async with self.http.post(address) as answer:
            if answer.status != 200:
                raise BenchError(f"The notification on {self.database} got {answer.status}.")

    async def follow_log(self) -> None:
        """Read the log as it is written, and wake who waits for a purchase."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            text = line.decode(errors="replace").rstrip()
            self.last_words.append(text)
            if _ERROR in text:
                self.errors.append(text)
            if _PURCHASE_STOCKED in text:
                self._note_stocked(json.loads(text))

    def _note_stocked(self, event: dict[str, str]) -> None:
        stocked = self.waiting.pop(event["purchase_id"], None)
        if stocked is not None:
            stocked.set_result(datetime.fromisoformat(event["timestamp"]).timestamp())

    async def until_ready(self) -> None:
        """Wait until the program says that it is ready. Raises BenchError with its last words if not."""
        deadline = time.monotonic() + START_LIMIT
        while self.process.returncode is None and time.monotonic() < deadline:
            if await self._is_ready():
                return
            await asyncio.sleep(0.05)
        raise BenchError(f"serve on {self.database} did not start:\n" + "\n".join(self.last_words))

    async def _is_ready(self) -> bool:
        try:
            async with self.http.get(f"{self.address}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError:
            return False

    async def offer_product(self) -> None:
        """Put the one product that everybody buys into the catalogue, with plenty of stock."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        address = f"{self.address}/api/v1/products/{ORDER['purchaseToken']}"
        async with self.http.put(address, json=PRODUCT, headers=headers) as answer:
            if answer.status not in (200, 201):
                raise BenchError(f"The product was not taken: {answer.status} {await answer.text()}")


@asynccontextmanager
async def shop(
    database: str, url: str, endpoint: str, home: Path, settings: Mapping[str, str] = UNHURRIED
) -> AsyncIterator[Shop]:
    """Migrate the database at ``url``, serve a shop on it until the block ends, with one product for sale.

    ``database`` is its name in the table; ``home`` the directory to run in; ``settings`` are environment
    variables on top of what it needs. Raises BenchError.
    """
    port = free_port()
    await _migrate(url)
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "orchestrator", "serve", "--port", str(port)),
        env={**_environment(url, port, endpoint), **settings},
        cwd=home,
        stdout=DEVNULL,
        stderr=PIPE,
        limit=_LONGEST_WORDS,
    )
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        served = Shop(database, process, f"http://127.0.0.1:{port}", http)
        log = asyncio.create_task(served.follow_log())
        try:
            await served.until_ready()
            await served.offer_product()
            yield served
        finally:
            await end(process)
            await log


async def _migrate(url: str) -> None:
    database = open_database(url)
    try:
        await migration.migrate(database)
    finally:
        await database.close()


def _environment(url: str, port: int, endpoint: str) -> dict[str, str]:
    """The settings of the shop, and none that this machine has."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
    return ours | {
        "PYTHONPATH": str(ROOT),
        "ORCHESTRATOR_DATABASE_URL": url,
        "ORCHESTRATOR_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "ORCHESTRATOR_SECRET_KEY": "the secret key of the benchmark",
        "ORCHESTRATOR_API_TOKEN": TOKEN,
        "ORCHESTRATOR_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "ORCHESTRATOR_SEQR_ENDPOINT": endpoint,
        "ORCHESTRATOR_SEQR_PRINCIPAL_ID": PRINCIPAL,
        "ORCHESTRATOR_SEQR_PASSWORD": PASSWORD,
    }
