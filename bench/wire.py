"""The barest HTTP/1.1 with keep-alive, on both sides: who measures, and SEQR, cost next to nothing."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from bench.errors import BenchError

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


class Wire:
    """Connections to one server, made as they are needed and used again, the last first."""

    def __init__(self, address: str, content_type: str = "application/json") -> None:
        place = urlsplit(address)
        assert place.hostname is not None
        assert place.port is not None
        self._host, self._port = place.hostname, place.port
        self._head = f"Host: {place.netloc}\r\nContent-Type: {content_type}\r\nContent-Length: ".encode()
        self._idle: list[_Asking] = []

    async def post(self, path: str, body: bytes = b"") -> Answer:
        """Send a request, wait for the whole answer. Raises BenchError when the connection breaks."""
        asking = await self._free()
        request = b"POST %b HTTP/1.1\r\n%b%d\r\n\r\n%b" % (path.encode(), self._head, len(body), body)
        try:
            answer = await asking.ask(request)
        except BaseException:
            asking.close()
            raise
        self._idle.append(asking)
        return answer

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    async def _free(self) -> _Asking:
        while self._idle:
            asking = self._idle.pop()
            if asking.is_open:
                return asking
        _, made = await asyncio.get_running_loop().create_connection(_Asking, self._host, self._port)
        return made


class Connection(asyncio.Protocol, ABC):
    """One side of a connection, whose messages have a Content-Length and come one at a time."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, gap, body = self._received.partition(b"\r\n\r\n")
        if not gap:
            return
        length = _LENGTH.search(head)
        if len(body) >= (int(length[1]) if length else 0):
            self._received = b""
            self.message(head, body)

    @abstractmethod
    def message(self, head: bytes, body: bytes) -> None:
        """A whole one came."""

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Asking(Connection):
    """The side that asks."""

    _waiting: asyncio.Future[Answer] | None = None

    async def ask(self, request: bytes) -> Answer:
        self._waiting = asyncio.get_running_loop().create_future()
        self.write(request)
        return await self._waiting

    def message(self, head: bytes, body: bytes) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Answer(int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(BenchError(f"The server closed the connection: {exc}"))


class Answering(Connection):
    """The side that answers: ``answer`` takes path and body, and returns what it says."""

    def __init__(self, answer: Callable[[bytes, bytes], bytes]) -> None:
        super().__init__()
        self._answer = answer

    def message(self, head: bytes, body: bytes) -> None:
        said = self._answer(head.split(b" ", 2)[1], body)
        self.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(said), said)
        )
