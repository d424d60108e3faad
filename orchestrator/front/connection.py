"""A connection that knows no patience with attackers: strict in what it reads, bounded in time and number.

uvicorn's own waits for ever for a request that never ends, and takes as many connections as come.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

from orchestrator.front.proxies import Network, is_loopback, is_within
from orchestrator.lockout import network

log = structlog.get_logger(__name__)

LONGEST_HEAD = 32 * 1024
"""Bytes of a request's line and headers."""

_HEAD_ENDS = b"\r\n\r\n"
_ODD_LINE = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|\n[ \t]")
"""A line that ends with LF or CR alone, or goes on in the next one: two programs may read it differently."""
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
_LATE = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the connections of one process. Times are in seconds, sizes in bytes.

    ``proxies`` and loopback may have more connections than ``of_address``: many callers stand behind them.
    """

    connections: int = 2000
    of_address: int = 500
    proxies: tuple[Network, ...] = ()
    head_seconds: float = 10.0
    body_seconds: float = 20.0
    body_rate: float = 1000.0
    """After ``body_seconds`` a body must have come with so many bytes a second, from its beginning."""
    largest_body: int = 80_000_000
    """What is thrown away unread counts too."""
    unread_seconds: float = 60.0
    """For so long a caller may leave an answer unread."""
    look_every: float = 2.0


class StrictConnection(h11.Connection):
    """h11, without its tolerance for what smugglers use."""

    def next_event(self) -> Any:
        """The next event. Raises RemoteProtocolError for what is not to be understood in one way only."""
        if self.their_state is h11.IDLE:
            _check_head(self.trailing_data[0])
        event = super().next_event()
        if isinstance(event, h11.Request):
            _check_framing(event)
        return event


def _check_head(received: bytes) -> None:
    head, _, _ = received.partition(_HEAD_ENDS)
    if len(head) > LONGEST_HEAD:
        raise h11.RemoteProtocolError("head too long", error_status_hint=431)
    if _ODD_LINE.search(head):
        raise h11.RemoteProtocolError("odd line in the head")


def _check_framing(request: h11.Request) -> None:
    lengths = [name for name, _ in request.headers if name in (b"content-length", b"transfer-encoding")]
    if b"transfer-encoding" in lengths and (len(lengths) > 1 or request.http_version != b"1.1"):
        raise h11.RemoteProtocolError("two lengths")


class Connection(H11Protocol):
    """One caller's connection. ``functools.partial(Connection, limits=...)`` is what uvicorn takes."""

    def __init__(self, *args: Any, limits: Limits | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.limits = limits or Limits()
        self.conn = StrictConnection(h11.SERVER, LONGEST_HEAD)
        self._look_task: asyncio.TimerHandle | None = None
        self._phase: object = None
        self._since = 0.0
        self._heard = 0
        self._unread = (0, 0.0)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, unless there are too many."""
        super().connection_made(transport)
        if self._is_one_too_many():
            log.warning("connection.refused", connections=len(self.connections))
            transport.write(_FULL)
            transport.close()
            return
        self._note_phase()
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if self._look_task is not None:
            self._look_task.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self.transport.is_closing():
            return
        self._heard += len(data)
        super().data_received(data)
        self._note_phase()

    def on_response_complete(self) -> None:
        """The answer went out; a next request may come."""
        super().on_response_complete()
        self._note_phase()

    def _is_one_too_many(self) -> bool:
        if len(self.connections) > self.limits.connections:
            return True
        if (
            self.client is None
            or is_loopback(self.client[0])
            or is_within(self.client[0], self.limits.proxies)
        ):
            return False
        mine = network(self.client[0])
        others = (other.client for other in self.connections if isinstance(other, Connection))
        same = sum(1 for client in others if client is not None and network(client[0]) == mine)
        return same > self.limits.of_address

    def _note_phase(self) -> None:
        """Begin to count anew when the caller goes over from the head to the body, or to the next request."""
        phase = self.conn.their_state
        if phase is not self._phase or phase not in (h11.IDLE, h11.SEND_BODY):
            self._phase, self._since, self._heard = phase, self.loop.time(), 0

    def _look_later(self) -> None:
        self._look_task = self.loop.call_later(self.limits.look_every, self._look)

    def _look(self) -> None:
        """Close what takes too long."""
        if self.transport.is_closing():
            self.transport.abort()  # what it was told last it had time enough to read
            return
        if self._is_late():
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE) and self._heard:
                self.transport.write(_LATE)
            self.transport.close()
        elif self._is_left_unread():
            self.transport.abort()
        self._look_later()

    def _is_late(self) -> bool:
        seconds = self.loop.time() - self._since
        if self._phase is h11.IDLE:
            return seconds > self.limits.head_seconds
        if self._phase is not h11.SEND_BODY:
            return False
        allowed = max(self.limits.body_seconds, self._heard / self.limits.body_rate)
        return seconds > allowed or self._heard > self.limits.largest_body

    def _is_left_unread(self) -> bool:
        size, at = self.transport.get_write_buffer_size(), self.loop.time()
        if not size or size != self._unread[0]:
            self._unread = (size, at)
        return at - self._unread[1] > self.limits.unread_seconds
