"""A program that sells: the orchestrator as a merchant serves it, or what it is held against. Each has a
process of its own and a database of its own."""

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
from urllib.parse import urlsplit

import aiohttp

from bench.errors import BenchError
from bench.process import end
from bench.programs import ORCHESTRATOR, Program
from bench.seqr import ROOT
from bench.wire import Wire
from orchestrator import catalogue, migration
from orchestrator.database import open_database
from orchestrator.identity import now
from orchestrator.rest.products import ProductBody
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
CROWDED = UNHURRIED | {"ORCHESTRATOR_CREATE_PURCHASE_PER_MINUTE": "1000000"}
"""Besides, all customers come from one address."""
START_LIMIT = 60.0
"""Seconds that the program has to be ready; on an idle machine it takes one or two."""

_PURCHASE_STOCKED = "purchase.stocked"
_STARTED = "orchestrator.started"
_LOOK_EVERY = 0.02
_ERROR = '"level": "error"'
_LOGGED_WITHIN = 0.2
"""Seconds until we have read why an answer was none."""
_WORDS_KEPT = 20
_LONGEST_WORDS = 2**20


@dataclass
class Shop:
    """A served shop. ``database`` is the name that it has in the table.

    That a purchase is stocked is read from the program's own log, which says so after the commit: asking for
    it over HTTP would be load that no merchant has.
    """

    program: Program
    database: str
    process: Process
    address: str
    http: aiohttp.ClientSession
    wire: Wire
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    waiting: dict[str, asyncio.Future[float]] = field(default_factory=dict)
    last_words: deque[str] = field(default_factory=lambda: deque(maxlen=_WORDS_KEPT))
    errors: deque[str] = field(default_factory=lambda: deque(maxlen=_WORDS_KEPT))
    """What it logged last as an error."""
    started: int = 0
    """How many of its processes are up; the orchestrator's alone say so."""

    @property
    def name(self) -> str:
        return f"{self.program.name} on {self.database}"

    @property
    def pid(self) -> int:
        return self.process.pid

    async def create_purchase(self) -> str:
        """One customer's order; returns the invoice reference. Raises BenchError."""
        order = ORDER | {"msisdn": f"4670{next(self.numbers):07d}"}
        answer = await self.wire.post("/seqr/createPurchase", json.dumps(order).encode())
        if answer.status != 200:
            said = f"answered {answer.status}: {answer.body.decode()}"
            await asyncio.sleep(_LOGGED_WITHIN)
            raise BenchError("\n".join([f"createPurchase of {self.name} {said}", *self.last_words]))
        return str(json.loads(answer.body)["invoiceReferenceId"])

    async def purchase_of(self, reference: str) -> str:
        """The id of the purchase with this invoice. Raises BenchError."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        address = f"{self.address}/api/v1/purchases"
        async with self.http.get(address, params={"q": reference}, headers=headers) as answer:
            items = (await answer.json())["items"]
        if len(items) != 1:
            raise BenchError(f"Invoice {reference} of {self.name} belongs to {len(items)} purchases.")
        return str(items[0]["id"])

    def expect(self, notification_address: str) -> asyncio.Future[float]:
        """When the purchase behind an address is stocked, in seconds of the wall clock."""
        stocked: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.waiting[purchase_behind(notification_address)] = stocked
        return stocked

    async def notify(self, address: str) -> None:
        """Say that something happened to an invoice, as SEQR does. Raises BenchError."""
        answer = await self.wire.post(urlsplit(address).path)
        if answer.status != 200:
            raise BenchError(f"The notification to {self.name} got {answer.status}.")

    async def follow_log(self) -> None:
        """Read the log as it is written, and wake who waits for a purchase."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            text = line.decode(errors="replace").rstrip()
            self.last_words.append(text)
            if _ERROR in text:
                self.errors.append(text)
            self.started += _STARTED in text
            if _PURCHASE_STOCKED in text:
                self._note_stocked(json.loads(text))

    def _note_stocked(self, event: dict[str, str]) -> None:
        stocked = self.waiting.pop(event["purchase_id"], None)
        if stocked is not None:
            stocked.set_result(datetime.fromisoformat(event["timestamp"]).timestamp())

    async def until_ready(self, processes: int = 0) -> None:
        """Wait until it says that it is ready, and so many of its processes that they are up.

        Raises BenchError with its last words if it does not.
        """
        deadline = time.monotonic() + START_LIMIT
        while self.process.returncode is None and time.monotonic() < deadline:
            if self.started >= processes and await self._is_ready():
                return
            await asyncio.sleep(_LOOK_EVERY)
        raise BenchError(f"{self.name} did not start:\n" + "\n".join(self.last_words))

    async def _is_ready(self) -> bool:
        try:
            async with self.http.get(f"{self.address}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError:
            return False


@asynccontextmanager
async def shop(
    database: str,
    url: str,
    endpoint: str,
    home: Path,
    settings: Mapping[str, str] = CROWDED,
    program: Program = ORCHESTRATOR,
) -> AsyncIterator[Shop]:
    """Migrate the database at ``url`` and serve a shop on it until the block ends, with one product for sale.

    ``database`` is its name in the table; ``home`` the directory to run in; ``settings`` are environment
    variables on top of what it needs. Raises BenchError.
    """
    await prepare(url)
    async with serving(database, url, endpoint, home, settings, program) as served:
        await served.until_ready()
        yield served


@asynccontextmanager
async def serving(
    database: str,
    url: str,
    endpoint: str,
    home: Path,
    settings: Mapping[str, str] = CROWDED,
    program: Program = ORCHESTRATOR,
) -> AsyncIterator[Shop]:
    """The same on a prepared database, from the moment on that the process is there."""
    port = free_port()
    process = await create_subprocess_exec(
        *(sys.executable, "-m", *program.arguments, "--port", str(port)),
        env={**_environment(url, port, endpoint), **settings},
        cwd=home,
        stdout=DEVNULL,
        stderr=PIPE,
        limit=_LONGEST_WORDS,
    )
    address = f"http://127.0.0.1:{port}"
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        served = Shop(program, database, process, address, http, Wire(address))
        log = asyncio.create_task(served.follow_log())
        try:
            yield served
        finally:
            served.wire.close()
            await end(process)
            await log


def purchase_behind(notification_address: str) -> str:
    """The id of the purchase that an address is about."""
    return notification_address.rpartition("/")[2].partition(".")[0]


async def prepare(url: str) -> None:
    """Migrate, and put the one product that everybody buys into the catalogue, with plenty of stock."""
    database = open_database(url)
    change = ProductBody.model_validate(PRODUCT).change(ORDER["purchaseToken"])
    try:
        await migration.migrate(database)
        await database.write(catalogue.save, change, "benchmark", now())
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
