"""An answer on its way out: uvicorn's, but a short one goes out in one piece, and known headers are known.

uvicorn writes head and body apart, which are two calls of the system, and checks every letter of every header
of every answer.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\t -~\x80-\xff]*")
_WITHOUT_BODY = (204, 304)
_REMEMBERED = 512
"""Headers; most are the same in all answers."""
_LARGE = 64 * 1024
_CHUNKS = b"transfer-encoding: chunked\r\n"
_CLOSE = b"connection: close\r\n"


class Answer(RequestResponseCycle):
    """What the application says to one request. Raises RuntimeError for what is no answer."""

    _head = b""
    """What is not written yet."""

    async def send(self, message: Any) -> None:
        """Take the next part of the answer. A head whose body has a length waits for the body's beginning."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if kind == "http.response.start" and not self.response_started:
            self._begin(message["status"], [*self.default_headers, *message.get("headers", ())])
        elif kind == "http.response.body" and self.response_started and not self.response_complete:
            self._continue(message.get("body", b""), message.get("more_body", False))
        else:
            raise RuntimeError(f"{kind!r} is not what comes now")

    def _begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        lines = [STATUS_LINE[status]]
        known = {}
        for header in headers:
            name, line = _line(*header)
            known[name] = header[1]
            lines.append(line)
        if b"transfer-encoding" in known:
            raise RuntimeError("how an answer is framed is said here")
        if b"close" in known.get(b"connection", b"").lower():
            self.keep_alive = False
        elif not self.keep_alive:
            lines.append(_CLOSE)
        has_body = self.scope["method"] != "HEAD" and status not in _WITHOUT_BODY
        length = known.get(b"content-length")
        self.expected_content_length = int(length) if length is not None and has_body else 0
        self.chunked_encoding = length is None and has_body
        if self.chunked_encoding:
            lines.append(_CHUNKS)
        self._head = b"".join((*lines, b"\r\n"))
        if self.chunked_encoding:  # it may be long until something comes, and who follows a stream waits
            self._write(b"")

    def _continue(self, body: bytes, more: bool) -> None:
        if self.chunked_encoding:
            self._write(
                (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"" if more else b"0\r\n\r\n")
            )
        else:
            self._write(self._of_length(body, more))
        if more:
            return
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _of_length(self, body: bytes, more: bool) -> bytes:
        """What of the body is written: nothing where none belongs."""
        if self.scope["method"] == "HEAD":
            return b""
        self.expected_content_length -= len(body)
        if self.expected_content_length < 0 or (self.expected_content_length and not more):
            raise RuntimeError("the body is not as long as its Content-Length says")
        return body

    def _write(self, body: bytes) -> None:
        head, self._head = self._head, b""
        if head and len(body) > _LARGE:  # to copy it costs more than to write twice
            self.transport.write(head)
            head = b""
        if head or body:
            self.transport.write(head + body)


@lru_cache(_REMEMBERED)
def _line(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """The name in lower case, and the line. Raises RuntimeError for what would be more than one header."""
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise RuntimeError("that is no header")
    name = name.lower()
    return name, b"%b: %b\r\n" % (name, value)
