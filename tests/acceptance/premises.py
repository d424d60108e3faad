"""A shop whose processes are real and may die, a SEQR that goes on, and the customer between them."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from orchestrator.database import Database, open_database
from orchestrator.work import P, Work
from sandbox.app import Sandbox, SandboxConfig, build_sandbox
from tests.acceptance.crashing import Birth, Crash
from tests.fixtures import invariants
from tests.fixtures.sandbox import ROOT, SHIPPED_WSDL, served
from tests.fixtures.shop import ORDER, stocked, until

T = TypeVar("T")

API_TOKEN = "a token that only the tests know"
PASSWORD = "12345678"
SECRET_KEY = "a secret key that only the tests know"
START = {"mug": 10, "spoon": 20, "set": 0}
_LONGEST = 30.0
"""Seconds that anything may take, on a machine with much else to do."""
_GONE = (aiohttp.ClientConnectionError, ConnectionError)


class Nursery:
    """Starts processes of the program in an instant; see ``crashing.py``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.crashing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._heard()

    def bear(self, birth: Birth) -> int:
        """Start a process; returns its id."""
        return self._ask(birth.as_line())["pid"]

    def exit_code(self, pid: int) -> int:
        """How a process that has ended did so; negative: by this signal."""
        return self._ask(json.dumps({"ended": pid}) + "\n")["status"]

    def close(self) -> None:
        """End it and all that it started."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

    def _ask(self, line: str) -> dict[str, int]:
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()
        return self._heard()

    def _heard(self) -> dict[str, int]:
        assert self._process.stdout is not None
        answer: dict[str, int] = json.loads(self._process.stdout.readline())
        return answer


def reserved_port() -> socket.socket:
    """A port of our own that nobody listens on until a process of ours does."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved


@dataclass
class Life:
    """One process of the program."""

    pid: int
    address: str
    nursery: Nursery
    ended: bool = False

    async def until_death(self, limit: float = _LONGEST) -> int:
        """Wait for the process to end by itself; returns how it did."""
        await until(self._is_over, limit)
        self.ended = True
        return self.nursery.exit_code(self.pid)

    async def until_frozen(self, limit: float = _LONGEST) -> None:
        """Wait for the process to freeze by itself."""

        stopped, told = Path(f"/proc/{self.pid}/stat"), ") T "

        async def is_frozen() -> bool:
            return told in await asyncio.to_thread(stopped.read_text)

        await until(is_frozen, limit)

    def freeze(self) -> None:
        """Stop it, as a machine that is suspended stops."""
        os.kill(self.pid, signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on from where it stopped."""
        os.kill(self.pid, signal.SIGCONT)

    def set_clock(self, by: signal.Signals) -> None:
        """Set its clock, ``BACK`` or ``ON`` by an hour."""
        os.kill(self.pid, by)

    async def kill(self) -> None:
        """End it by force, if it still lives."""
        if not self.ended:
            os.kill(self.pid, signal.SIGKILL)
            await self.until_death()

    async def _is_over(self) -> bool:
        # A process that has ended and was not waited for yet keeps its id, and its descriptor is readable.
        descriptor = os.pidfd_open(self.pid)
        try:
            return bool(select.select([descriptor], [], [], 0)[0])
        finally:
            os.close(descriptor)


@dataclass
class Premises:
    """The shop's database and address, SEQR beside it, and whatever processes live there."""

    database_url: str
    sandbox: Sandbox
    http: aiohttp.ClientSession
    nursery: Nursery
    ports: list[socket.socket]
    addresses: list[str]
    """Where the processes serve; the first one is the shop's public address."""
    log: Path
    settings: dict[str, Any]
    lives: list[Life] = field(default_factory=list)

    def vacate(self) -> int:
        """Give up the first port, for a program that is started elsewhere; returns it."""
        port = int(self.ports[0].getsockname()[1])
        self.ports[0].close()
        return port

    async def start(self, crash: Crash | None = None, place: int = 0, **changes: Any) -> Life:
        """Start the program and wait until it answers. ``changes`` are settings of this process alone."""
        port = self.ports[place].getsockname()[1]
        birth = Birth({**self.settings, **changes}, port, str(self.log), crash)
        life = Life(self.nursery.bear(birth), self.addresses[place], self.nursery)
        self.lives.append(life)

        async def answers() -> bool:
            try:
                async with self.http.get(f"{life.address}/healthz") as answer:
                    return answer.status == 200
            except _GONE:
                return False

        await until(answers, _LONGEST)
        return life

    async def order(self, place: int = 0, **changes: str) -> tuple[int, dict[str, Any]]:
        """One createPurchase; status 0 when the connection broke."""
        address = f"{self.addresses[place]}/seqr/createPurchase"
        try:
            async with self.http.post(address, json={**ORDER, **changes}) as answer:
                return answer.status, await answer.json()
        except _GONE:
            return 0, {}

    async def buy(self, place: int = 0, **changes: str) -> str:
        """Repeat createPurchase until it is answered, as SEQR does; returns the invoice reference."""
        reference = ""

        async def answered() -> bool:
            nonlocal reference
            status, answer = await self.order(place, **changes)
            assert status in (0, 200, 503), answer
            reference = answer.get("invoiceReferenceId", "")
            return status == 200

        await until(answered, _LONGEST)
        return reference

    async def purchases(self) -> list[dict[str, Any]]:
        """The purchases as the API shows them, newest first."""
        status, answer = await self.call("GET", "/purchases?limit=200")
        assert status == 200, answer
        found: list[dict[str, Any]] = answer["items"]
        return found

    async def only(self) -> dict[str, Any]:
        """The one purchase there is."""
        (purchase,) = await self.purchases()
        return purchase

    async def act(self, action: str, purchase_id: str, place: int = 0) -> int:
        """Retry or cancel over the API; status 0 when the connection broke."""
        try:
            status, _ = await self.call("POST", f"/purchases/{purchase_id}/{action}", place)
        except _GONE:
            return 0
        return status

    async def until_state(self, state: str, limit: float = _LONGEST) -> dict[str, Any]:
        """Wait for the one purchase to reach a state by itself."""

        async def there() -> bool:
            return bool((await self.only())["state"] == state)

        await until(there, limit)
        return await self.only()

    async def at_rest(self) -> bool:
        """Whether no purchase is due at any time."""
        async with self.database() as database:
            books = await database.read(invariants.read)
        return all(purchase["next_check_at"] is None for purchase in books.purchases)

    async def write(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A unit of work of another process."""
        async with self.database() as database:
            return await database.write(work, *args, **kwargs)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """The database, open no longer than needed: a crash may have to be the last one to hold it."""
        opened = open_database(self.database_url)
        try:
            yield opened
        finally:
            await opened.close()

    async def check(self, start: dict[str, int] | None = None) -> invariants.Books:
        """All invariants."""
        async with self.database() as database:
            return await invariants.check(database, self.sandbox.ledger, start or START)

    async def call(self, method: str, path: str, place: int = 0) -> tuple[int, dict[str, Any]]:
        """Ask the API."""
        headers = {"Authorization": f"Bearer {API_TOKEN}"}
        address = f"{self.addresses[place]}/api/v1{path}"
        async with self.http.request(method, address, headers=headers) as answer:
            return answer.status, await answer.json()


@asynccontextmanager
async def premises(
    database_url: str, nursery: Nursery, log: Path, *, places: int = 1, **changes: Any
) -> AsyncIterator[Premises]:
    """A stocked shop with no process yet, and SEQR. ``changes`` are settings."""
    ports = [reserved_port() for _ in range(places)]
    addresses = [f"http://127.0.0.1:{port.getsockname()[1]}" for port in ports]
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        sandbox = build_sandbox(
            SandboxConfig(
                wsdl=SHIPPED_WSDL,
                base_url=base_url,
                create_purchase_url=f"{addresses[0]}/seqr/createPurchase",
            )
        )
        settings = {
            "database_url": database_url,
            "public_url": addresses[0],
            "secret_key": SECRET_KEY,
            "api_token": API_TOKEN,
            "seqr_endpoint": sandbox.soap_url,
            "seqr_principal_id": "public_test_shop_terminal",
            "seqr_password": PASSWORD,
            **changes,
        }
        async with served(sandbox.app, listening), aiohttp.ClientSession() as http:
            shop = Premises(database_url, sandbox, http, nursery, ports, addresses, log, settings)
            await shop.write(stocked)
            try:
                yield shop
            finally:
                for life in shop.lives:
                    await life.kill()
                for port in ports:
                    port.close()
