"""How a SOAP message travels: HTTP over pooled connections, sent once, bounded in time and size.

The one question that matters when something breaks is whether SEQR may have seen the call. The moment a
connection is in hand counts as sent; only what fails before is :class:`NotSent`.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from contextlib import suppress
from functools import partial
from socket import SOCK_STREAM
from typing import Protocol

import aiohappyeyeballs
from yarl import URL

from orchestrator.seqr.connection import Connection
from orchestrator.seqr.errors import Lost, NotSent, SeqrSetupError
from orchestrator.seqr.http_answer import GARBLED, HttpAnswer

IDLE_SECONDS = 4.0
"""How long an unused connection is kept: shorter than servers do (uvicorn 5 s, Tomcat 20 s or more), so that
a call is seldom put on a connection which the server is closing at that moment."""

_NEXT_ADDRESS_AFTER = 0.25
"""Seconds until the host's next address is tried beside one that does not answer (RFC 8305)."""


class Transport(Protocol):
    """Carries one message to SEQR's endpoint and its answer back."""

    async def post(self, message: bytes) -> HttpAnswer:
        """Send once, never again. Raises NotSent or Lost, and nothing else for what a network does."""

    async def close(self) -> None:
        """Let go of the connections."""


class HttpTransport:
    """HTTP/1.1 with keep-alive. No redirect is followed, no cookie kept, no call repeated.

    The first call makes the first connection, for the event loop that runs then; so this can be made
    anywhere, before there is a loop.
    """

    def __init__(self, endpoint: str, *, timeout: float, connections: int, user_agent: str) -> None:
        self._endpoint = checked_endpoint(endpoint)
        self._timeout = timeout
        self._head = _head(self._endpoint, user_agent)
        self._tls = ssl.create_default_context() if self._endpoint.scheme == "https" else None
        self._lines = asyncio.Semaphore(connections)
        self._idle: list[Connection] = []
        """The one used last is used next; so those that are too many grow old and are closed."""
        self._open: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def shown_endpoint(self) -> str:
        """Host and port, for people."""
        return f"{self._endpoint.host}:{self._endpoint.port}"

    async def post(self, message: bytes) -> HttpAnswer:
        deadline = asyncio.get_running_loop().time() + self._timeout
        connection = await self._taken(deadline)
        try:
            return await connection.exchange(
                b"%b%d\r\n\r\n%b" % (self._head, len(message), message), deadline
            )
        except TimeoutError as fault:
            what = f"No answer from SEQR within {self._timeout:g} s"
            raise Lost(f"{what}, at {self.shown_endpoint}.") from fault
        except (OSError, *GARBLED) as fault:
            raise Lost(f"The answer was cut off ({_reason(fault)}), at {self.shown_endpoint}.") from fault
        finally:
            self._give_back(connection)

    async def _taken(self, deadline: float) -> Connection:
        """A connection of one's own, to be given back. Raises NotSent."""
        try:
            await self._line(deadline)
            try:
                return self._kept() or await self._made(deadline)
            except BaseException:
                self._lines.release()
                raise
        except TimeoutError as fault:
            what = f"No connection to SEQR within {self._timeout:g} s"
            raise NotSent(f"{what}, at {self.shown_endpoint}.") from fault
        except (OSError, ValueError) as fault:
            raise NotSent(f"SEQR cannot be reached ({_reason(fault)}), at {self.shown_endpoint}.") from fault

    async def _line(self, deadline: float) -> None:
        """Wait until another connection may be in use. Raises TimeoutError."""
        if self._lines.locked():
            async with asyncio.timeout_at(deadline):
                await self._lines.acquire()
        else:
            await self._lines.acquire()

    def _kept(self) -> Connection | None:
        """An idle connection, none if there is no good one. Raises NotSent."""
        if self._closed:
            raise NotSent("The connection to SEQR has been closed: the orchestrator is stopping.")
        youngest = asyncio.get_running_loop().time() - IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and connection.idle_since > youngest:
                return connection
            connection.close()
        return None

    async def _made(self, deadline: float) -> Connection:
        """A new connection. Raises OSError, ValueError or TimeoutError."""
        async with asyncio.timeout_at(deadline):
            connection = await self._connected(self._endpoint.raw_host or "")
        if self._closed or not connection.usable:
            connection.abort()
            raise ConnectionError("the connection was closed as soon as it was made")
        return connection

    async def _connected(self, host: str) -> Connection:
        loop = asyncio.get_running_loop()
        addresses = await loop.getaddrinfo(host, self._endpoint.port, type=SOCK_STREAM)
        socket = await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER)
        try:
            _, connection = await loop.create_connection(
                partial(Connection, self._open),
                sock=socket,
                ssl=self._tls,
                server_hostname=host.rstrip(".") if self._tls else None,
            )
        except BaseException:
            with suppress(OSError):
                socket.close()
            raise
        return connection

    def _give_back(self, connection: Connection) -> None:
        self._lines.release()
        if not connection.usable:
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(IDLE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Close what has been idle for too long, and come again while anything is left."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - IDLE_SECONDS
        for connection in self._idle:
            if connection.idle_since <= oldest:
                connection.close()
        self._idle = [connection for connection in self._idle if connection.usable]
        self._sweeper = loop.call_later(IDLE_SECONDS, self._sweep) if self._idle else None

    async def close(self) -> None:
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        left = list(self._open)
        for connection in left:
            connection.abort()
        await asyncio.gather(*(connection.closed for connection in left))


def checked_endpoint(endpoint: str) -> URL:
    """The endpoint as an address. Raises SeqrSetupError unless it is http(s) with a host."""
    try:
        url = URL(endpoint)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise SeqrSetupError(
            "SEQR's endpoint is no http or https address. Set ORCHESTRATOR_SEQR_ENDPOINT to the one that "
            "SEQR gave you, such as https://host/extclientproxy/service/v2."
        )
    return url


def _head(endpoint: URL, user_agent: str) -> bytes:
    """A request up to the figure of its length."""
    head = {
        "Host": endpoint.host_port_subcomponent or "",
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": '""',
        "Accept": "text/xml",
        "Accept-Encoding": "identity",
        "User-Agent": user_agent,
    }
    if endpoint.user is not None:
        who = f"{endpoint.user}:{endpoint.password or ''}".encode()
        head["Authorization"] = f"Basic {base64.b64encode(who).decode()}"
    lines = [f"POST {endpoint.raw_path_qs} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    return "\r\n".join([*lines, "Content-Length: "]).encode()


def _reason(fault: BaseException) -> str:
    text = " ".join(str(fault).split())
    return f"{type(fault).__name__}: {text}" if text else type(fault).__name__
