"""One HTTP/1.1 connection: a request goes out, its answer comes in, and then perhaps the next."""

from __future__ import annotations

import asyncio
from typing import cast

from orchestrator.seqr.errors import Lost
from orchestrator.seqr.http_answer import GARBLED, HttpAnswer, IncomingAnswer


class Connection(asyncio.Protocol):
    """Made by ``loop.create_connection``; while it is open it is in ``siblings``.

    ``usable`` says whether it may carry a request now, ``idle_since`` is for the owner to note.
    """

    def __init__(self, siblings: set[Connection]) -> None:
        self.usable = False
        self.idle_since = 0.0
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._siblings = siblings
        self._incoming: IncomingAnswer | None = None
        self._waiter: asyncio.Future[HttpAnswer] | None = None

    async def exchange(self, request: bytes, deadline: float) -> HttpAnswer:
        """Send a request, once, and wait for its answer until ``deadline``, by the loop's clock.

        Hangs up if anything goes wrong: raises TimeoutError, OSError or Lost, and what GARBLED has.
        """
        assert self.usable, "one request at a time"
        self.usable = False
        loop = asyncio.get_running_loop()
        self._incoming = IncomingAnswer()
        self._waiter = loop.create_future()
        timer = loop.call_at(deadline, self._fail, TimeoutError())
        try:
            self._transport.write(request)
            return await self._waiter
        except BaseException:
            self.abort()
            raise
        finally:
            timer.cancel()

    def close(self) -> None:
        """Take leave of the server."""
        self.usable = False
        self._transport.close()

    def abort(self) -> None:
        """Hang up."""
        self.usable = False
        self._incoming = None
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._siblings.add(self)
        self.usable = True

    def data_received(self, data: bytes) -> None:
        incoming = self._incoming
        if incoming is None:
            self.abort()  # nobody asked
            return
        try:
            incoming.feed(data)
        except (Lost, *GARBLED) as fault:
            self._fail(fault)
            return
        if incoming.whole is not None:
            self._succeed(incoming.whole, incoming.reusable)

    def eof_received(self) -> None:
        self.usable = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        self._siblings.discard(self)
        self.closed.set_result(None)
        if self._incoming is not None:
            self._end(self._incoming, exc)

    def _end(self, incoming: IncomingAnswer, exc: Exception | None) -> None:
        """The connection is gone; for some answers that is how they end."""
        try:
            if exc is not None:
                raise exc if isinstance(exc, OSError) else EOFError(str(exc))
            incoming.end()
        except (OSError, Lost, *GARBLED) as fault:
            self._fail(fault)
            return
        assert incoming.whole is not None
        self._succeed(incoming.whole, reusable=False)

    def _succeed(self, answer: HttpAnswer, reusable: bool) -> None:
        self._incoming = None
        self.usable = reusable
        if not reusable:
            self._transport.close()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(answer)

    def _fail(self, fault: Exception) -> None:
        self._incoming = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(fault)
