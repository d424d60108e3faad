"""A connection that knows no patience with attackers: strict in what it reads, bounded in time and number.

uvicorn's own waits for ever for a request that never ends, and takes as many connections as come.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import unquote

import structlog
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from orchestrator.front import head
from orchestrator.front.answer import Answer
from orchestrator.front.chunks import Chunks
from orchestrator.front.head import Head, Unreadable
from orchestrator.front.proxies import Network, is_loopback, is_within
from orchestrator.lockout import network

log = structlog.get_logger(__name__)

_OVERLAP = len(head.END) - 1
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


class Phase(Enum):
    """What comes next from the caller. ``NOTHING``: the request is whole, and what comes behind it waits for
    the end of the answer."""

    HEAD = 1
    BODY = 2
    NOTHING = 3


class Connection(HttpToolsProtocol):
    """One caller's connection. ``functools.partial(Connection, limits=...)`` is what uvicorn takes.

    Of uvicorn's it has the answers; requests it reads itself.
    """

    def __init__(self, *args: Any, limits: Limits | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.limits = limits or Limits()
        self.network = ""
        """Of the caller, as far as its connections are counted."""
        self._look_task: asyncio.TimerHandle | None = None
        self._received = bytearray()
        self._looked = 0
        """Of the head that is not whole yet: so much need not be looked at again."""
        self._chunks: Chunks | None = None
        self._missing = 0
        """Bytes of a body that is not in chunks."""
        self._phase = Phase.HEAD
        self._has_asked = False
        self._since = 0.0
        self._heard = 0
        self._unread = (0, 0.0)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, unless there are too many."""
        super().connection_made(transport)
        self.network = self._counted_network()
        if self._is_one_too_many():
            log.warning("connection.refused", connections=len(self.connections))
            transport.write(_FULL)
            transport.close()
            return
        self._expect(Phase.HEAD)
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
        self._received += data
        self._read()

    def on_response_complete(self) -> None:
        """The answer went out; a next request may come, or be there already."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self._phase is Phase.NOTHING:
            self._expect(Phase.HEAD)
            self._read()

    def _read(self) -> None:
        try:
            while self._received and self._takes_some():
                pass
        except Unreadable:
            self._refuse()
        if self._received and self._phase is Phase.NOTHING:
            self.flow.pause_reading()

    def _takes_some(self) -> bool:
        """Take the next part of a request out of what came; returns whether there may be another."""
        if self._phase is Phase.HEAD:
            return self._takes_head()
        if self._phase is Phase.BODY:
            self._take_body()
            return True
        return False

    def _takes_head(self) -> bool:
        end = self._received.find(head.END, self._looked)
        if end < 0:
            head.check_beginning(self._received, self._looked)
            self._looked = max(len(self._received) - _OVERLAP, 0)
            return False
        size = end + len(head.END)
        found = head.read(bytes(self._received[:size]))
        del self._received[:size]
        self._looked = 0
        self._answer(found)
        return True

    def _take_body(self) -> None:
        if self._chunks is not None:
            self._chunks.take(self._received)
            if self._chunks.are_over:
                self._end_request()
            return
        piece = bytes(self._received[: self._missing])
        del self._received[: self._missing]
        self._missing -= len(piece)
        self._hand_over(piece)
        if not self._missing:
            self._end_request()

    def _hand_over(self, piece: bytes) -> None:
        """To the application, unless that has answered without it."""
        if self.cycle.response_complete:
            return
        self.cycle.body += piece
        if len(self.cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        self.cycle.message_event.set()

    def _answer(self, found: Head) -> None:
        """Let the application answer; its body may come meanwhile."""
        self._has_asked = True
        raw_path, _, query = found.target.partition(b"?")
        self.scope = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": found.version.decode(),
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme or "http",
            "method": found.method.decode(),
            "root_path": self.root_path,
            "path": self.root_path + unquote(raw_path.decode()),
            "raw_path": self.root_path.encode() + raw_path,
            "query_string": query,
            "headers": found.headers,
            "state": self.app_state.copy(),
        }
        self.cycle = Answer(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=found.expects_continue,
            keep_alive=found.keeps_alive,
            on_response=self.on_response_complete,
        )
        self._start_asgi_task(self.cycle, self.app)
        self._chunks = Chunks(self._hand_over) if found.length is None else None
        self._missing = found.length or 0
        if found.length == 0:
            self._end_request()
        else:
            self._expect(Phase.BODY)

    def _end_request(self) -> None:
        if self.cycle.response_complete:
            self._expect(Phase.HEAD)
            return
        self.cycle.more_body = False
        self.cycle.message_event.set()
        self._expect(Phase.NOTHING)

    def _refuse(self) -> None:
        """Say that it is unreadable, unless an answer is on its way or out, and hang up."""
        self._received.clear()
        if self._phase is Phase.HEAD or not self.cycle.response_started:
            self.send_400_response("Invalid HTTP request received.")
        else:
            self.transport.close()

    def _counted_network(self) -> str:
        address = self.client[0] if self.client is not None else ""
        if not address or is_loopback(address) or is_within(address, self.limits.proxies):
            return ""
        return network(address)

    def _is_one_too_many(self) -> bool:
        if len(self.connections) > self.limits.connections:
            return True
        if not self.network:
            return False
        others = (other for other in self.connections if isinstance(other, Connection))
        same = sum(1 for other in others if other.network == self.network)
        return same > self.limits.of_address

    def _expect(self, phase: Phase) -> None:
        """Begin to count anew."""
        self._phase, self._since, self._heard = phase, self.loop.time(), 0

    def _look_later(self) -> None:
        self._look_task = self.loop.call_later(self.limits.look_every, self._look)

    def _look(self) -> None:
        """Close what takes too long."""
        if self.transport.is_closing():
            self.transport.abort()  # what it was told last it had time enough to read
            return
        if self._is_late():
            if self._received or (self._phase is Phase.BODY and not self.cycle.response_started):
                self.transport.write(_LATE)
            self.transport.close()
        elif self._is_left_unread():
            self.transport.abort()
        self._look_later()

    def _is_late(self) -> bool:
        seconds = self.loop.time() - self._since
        if self._phase is Phase.HEAD:
            is_idle = self._has_asked and not self._received
            return seconds > (self.config.timeout_keep_alive if is_idle else self.limits.head_seconds)
        if self._phase is Phase.NOTHING:
            return False
        allowed = max(self.limits.body_seconds, self._heard / self.limits.body_rate)
        return seconds > allowed or self._heard > self.limits.largest_body

    def _is_left_unread(self) -> bool:
        size, at = self.transport.get_write_buffer_size(), self.loop.time()
        if not size or size != self._unread[0]:
            self._unread = (size, at)
        return at - self._unread[1] > self.limits.unread_seconds
