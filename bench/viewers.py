"""People who look at the purchases all day: how soon each sees a change, and what their looking costs."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from bench.errors import BenchError
from bench.process import cost
from bench.shop import ADMIN_PASSWORD, Shop

SEEN_LIMIT = 10.0
"""Seconds after which a change that a viewer has not seen is an error."""

_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
_STREAM = re.compile(r'sse-connect="([^"]+)"')
_ROW = b"event: p-"


@dataclass
class Viewers:
    """Open streams of the list; ``seen`` is when each told of a purchase first, in seconds of one clock."""

    shop: Shop
    number: int
    seen: dict[str, list[float]] = field(default_factory=dict)

    async def read(self, stream: aiohttp.ClientResponse) -> None:
        """Note when this stream tells of each purchase, until it is closed."""
        known: set[str] = set()
        async for line in stream.content:
            if line.startswith(_ROW):
                purchase_id = line[len(_ROW) :].strip().decode()
                if purchase_id not in known:
                    known.add(purchase_id)
                    self.seen.setdefault(purchase_id, []).append(time.monotonic())

    async def latencies(self, ordered: dict[str, float]) -> list[float]:
        """From each order to each viewer's page, in ms, its placement and invoice among it.

        Raises:
            BenchError: somebody was not told.
        """
        deadline = time.monotonic() + SEEN_LIMIT
        while any(len(self.seen.get(purchase_id, [])) < self.number for purchase_id in ordered):
            if time.monotonic() > deadline:
                raise BenchError(f"Not every viewer on {self.shop.database} saw every change.")
            await asyncio.sleep(0.01)
        return [
            (moment - sent) * 1000
            for purchase_id, sent in ordered.items()
            for moment in self.seen[purchase_id]
        ]


@asynccontextmanager
async def viewers(shop: Shop, number: int) -> AsyncIterator[Viewers]:
    """``number`` pages of the list, open and live until the block ends."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=jar) as http:
        await sign_in(http, shop.address)
        async with http.get(f"{shop.address}/purchases") as answer:
            found = _STREAM.search(await answer.text())
        if found is None:
            raise BenchError(f"The list on {shop.database} names no stream.")
        address = shop.address + found[1].replace("&amp;", "&")
        streams = await asyncio.gather(*(_opened(http, address) for _ in range(number)))
        looking = Viewers(shop, number)
        readers = [asyncio.create_task(looking.read(stream)) for stream in streams]
        try:
            yield looking
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
            for stream in streams:
                stream.close()


async def sign_in(http: aiohttp.ClientSession, address: str) -> None:
    """Sign in as admin; the session keeps the cookie. Raises BenchError."""
    async with http.get(f"{address}/login") as answer:
        token = _TOKEN.search(await answer.text())
    assert token is not None
    form = {"csrf": token[1], "name": "admin", "password": ADMIN_PASSWORD, "next": "/purchases"}
    async with http.post(f"{address}/login", data=form) as answer:
        if answer.status != 200 or answer.url.path != "/purchases":
            raise BenchError(f"The sign-in answered {answer.status} at {answer.url.path}.")


async def changes(shop: Shop, looking: Viewers, number: int, pause: float) -> list[float]:
    """Order ``number`` times, ``pause`` seconds apart; returns how long each viewer waited for each (ms)."""
    ordered: dict[str, float] = {}
    for _ in range(number):
        sent = time.monotonic()
        reference = await shop.create_purchase()
        ordered[await shop.purchase_of(reference)] = sent
        await asyncio.sleep(pause)
    return await looking.latencies(ordered)


async def cpu_share(shop: Shop, seconds: float) -> float:
    """How much of a core the program uses while nothing happens: 0.05 is 5 %."""
    before, began = cost(shop.pid), time.monotonic()
    await asyncio.sleep(seconds)
    return (cost(shop.pid).cpu_ms - before.cpu_ms) / (time.monotonic() - began) / 1000


async def _opened(http: aiohttp.ClientSession, address: str) -> aiohttp.ClientResponse:
    answer = await http.get(address, headers={"Accept": "text/event-stream"})
    if answer.status != 200:
        raise BenchError(f"A stream answered {answer.status}.")
    return answer
