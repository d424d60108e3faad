"""The benchmark's side of the stub: start it, pay invoices, ask what it saw."""

from __future__ import annotations

import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bench.process import end

ROOT = Path(__file__).resolve().parents[1]


class StubSeqr:
    """A running stub. ``endpoint`` is the address of its Payment API."""

    def __init__(self, port: int, http: aiohttp.ClientSession) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self._http = http
        self.endpoint = f"{self._address}/soap"

    async def pay(self, reference: str) -> None:
        """The customer pays an invoice. Nobody is notified."""
        async with self._http.post(f"{self._address}/pay", data=reference.encode()) as answer:
            await answer.read()

    async def notification_addresses(self) -> dict[str, str]:
        """Where each invoice's shop wants to be told, by invoice reference."""
        async with self._http.get(f"{self._address}/invoices") as answer:
            addresses: dict[str, str] = await answer.json(content_type=None)
        return addresses

    async def asked_at(self) -> dict[str, float]:
        """When each paid invoice was first asked about, in seconds of the wall clock."""
        async with self._http.get(f"{self._address}/asked") as answer:
            asked: dict[str, float] = await answer.json(content_type=None)
        return asked


@asynccontextmanager
async def stub_seqr() -> AsyncIterator[StubSeqr]:
    """Run a stub in a process of its own."""
    process = await create_subprocess_exec(
        sys.executable, "-m", "bench.stub", stdin=PIPE, stdout=PIPE, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        async with aiohttp.ClientSession() as http:
            yield StubSeqr(port, http)
    finally:
        await end(process)
