"""People who look at the purchases all day: streams of the list, as browsers hold them open."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import aiohttp

from bench.errors import BenchError
from bench.shop import ADMIN_PASSWORD, Shop

READERS = 10
"""So many of the viewers read what they are told; the others only take it, so that it is the program that
is measured, not us."""
OPEN_LIMIT = 60.0
"""Seconds."""
_AT_ONCE = 20
"""So many open their page at a time."""

_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
_STREAM = re.compile(r'sse-connect="([^"]+)"')
_TOLD = re.compile(rb"event: p-([0-9a-f-]{36})\r?\n")
_STALE = b"event: stale"


Book = dict[str, list[float]]
"""When a reader was told of each purchase, in seconds of the wall clock."""


@dataclass
class Viewers:
    """Open streams. ``books`` are the readers'; ``lost`` is how many streams ended: those pages stand still
    until somebody loads them again."""

    request: bytes
    place: tuple[str, int]
    books: list[Book] = field(default_factory=list)
    lost: int = 0
    _streams: list[_Stream] = field(default_factory=list)
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def open(self, number: int) -> None:
        """Have ``number`` look; the first of them read. Raises BenchError."""
        self.books = [{} for _ in range(min(number, READERS))]
        books = [*self.books, *[None] * (number - len(self.books))]
        try:
            async with asyncio.timeout(OPEN_LIMIT), asyncio.TaskGroup() as opening:
                for book in books:
                    opening.create_task(self._open(book))
        except TimeoutError:
            raise BenchError(f"{number} streams were not open after {OPEN_LIMIT:g} s.") from None
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    def first_after(self, purchase_id: str, at: float) -> list[float]:
        """When each reader was first told of a purchase from ``at`` on; of those who were."""
        told = ([moment for moment in book.get(purchase_id, ()) if moment >= at] for book in self.books)
        return [moments[0] for moments in told if moments]

    def close(self) -> None:
        """Nobody looks any more."""
        for stream in self._streams:
            stream.close()

    async def _open(self, book: Book | None) -> None:
        loop = asyncio.get_running_loop()
        async with self._places:
            _, stream = await loop.create_connection(lambda: _Stream(self, book), *self.place)
            self._streams.append(stream)
            await stream.opened


class _Stream(asyncio.Protocol):
    """One viewer's connection; a reader has a book. ``opened`` is done when the stream has begun."""

    def __init__(self, viewers: Viewers, book: Book | None) -> None:
        self.book = book
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._viewers = viewers
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._viewers.request)

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            status = data.split(b" ", 2)[1]
            if status == b"200":
                self.opened.set_result(None)
            else:
                self.opened.set_exception(BenchError(f"A stream answered {status.decode()}."))
        if self.book is not None:
            self._read(self.book, self._rest + data)
        elif _STALE in data:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(BenchError(f"A stream was closed before it began: {exc}"))
        self._viewers.lost += 1

    def close(self) -> None:
        self._transport.close()

    def _read(self, book: Book, data: bytes) -> None:
        whole, _, self._rest = data.rpartition(b"\n")
        now = time.time()
        for told in _TOLD.finditer(whole + b"\n"):
            book.setdefault(told[1].decode(), []).append(now)
        if _STALE in whole:
            self.close()


@asynccontextmanager
async def viewers(shop: Shop, number: int) -> AsyncIterator[Viewers]:
    """``number`` pages of the list, open and live until the block ends."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        await sign_in(http, shop.address)
        async with http.get(f"{shop.address}/purchases") as answer:
            found = _STREAM.search(await answer.text())
        if found is None:
            raise BenchError(f"The list of {shop.name} names no stream.")
        cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in jar)
    place = urlsplit(shop.address)
    head = f"GET {found[1].replace('&amp;', '&')} HTTP/1.1\r\nHost: {place.netloc}\r\nCookie: {cookies}\r\n"
    assert place.hostname is not None
    assert place.port is not None
    request = f"{head}Accept: text/event-stream\r\n\r\n".encode()
    looking = Viewers(request, (place.hostname, place.port))
    await looking.open(number)
    try:
        yield looking
    finally:
        looking.close()


async def sign_in(http: aiohttp.ClientSession, address: str) -> None:
    """Sign in as admin; the session keeps the cookie. Raises BenchError."""
    async with http.get(f"{address}/login") as answer:
        token = _TOKEN.search(await answer.text())
    assert token is not None
    form = {"csrf": token[1], "name": "admin", "password": ADMIN_PASSWORD, "next": "/purchases"}
    async with http.post(f"{address}/login", data=form) as answer:
        if answer.status != 200 or answer.url.path != "/purchases":
            raise BenchError(f"The sign-in answered {answer.status} at {answer.url.path}.")
