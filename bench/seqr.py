"""The benchmark's side of the stub: start it, pay invoices, ask what it saw."""

from __future__ import annotations

import json
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.process import end
from bench.wire import Wire

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Watched:
    """How often getPaymentStatus asked about watched invoices, and for how many seconds one of them was not
    asked about, at the longest."""

    count: int
    longest: float


class StubSeqr:
    """A running stub. ``endpoint`` is the address of its Payment API."""

    def __init__(self, address: str) -> None:
        self.wire = Wire(address)
        self.endpoint = f"{address}/soap"

    async def pay(self, reference: str) -> None:
        """The customer pays an invoice. Nobody is notified."""
        await self.wire.post("/pay", reference.encode())

    async def notification_addresses(self) -> dict[str, str]:
        """Where the shops want to be told about each invoice that was made since the last time that this was
        asked, by invoice reference."""
        addresses: dict[str, str] = await self._told("/invoices")
        return addresses

    async def asked_at(self) -> dict[str, float]:
        """When each invoice was first found to be paid, in seconds of the wall clock; each told once."""
        asked: dict[str, float] = await self._told("/asked")
        return asked

    async def watch(self, references: Iterable[str]) -> None:
        """From now on note when these invoices are asked about, instead of those before."""
        await self.wire.post("/watch", "\n".join(references).encode())

    async def watched(self) -> Watched:
        """What came of it so far."""
        return Watched(**await self._told("/watched"))

    async def _told(self, path: str) -> Any:
        return json.loads((await self.wire.post(path)).body)


@asynccontextmanager
async def stub_seqr() -> AsyncIterator[StubSeqr]:
    """Run a stub in a process of its own."""
    process = await create_subprocess_exec(
        sys.executable, "-m", "bench.stub", stdin=PIPE, stdout=PIPE, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        seqr = StubSeqr(f"http://127.0.0.1:{port}")
        yield seqr
        seqr.wire.close()
    finally:
        await end(process)
