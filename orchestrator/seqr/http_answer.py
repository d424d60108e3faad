"""An HTTP answer: while it comes in, piece by piece, and whole."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from orchestrator.seqr.errors import Lost

LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes of an answer, on the wire with its head, and its body unpacked; reading stops there."""

LARGEST_HEAD = 64 * 1024
"""Bytes within which an answer's head must end."""

GARBLED = (HttpParserError, HttpParserUpgrade, EOFError, zlib.error)
"""What reading an answer raises when it is no HTTP, or not all of it came."""

_PACKED = frozenset({b"gzip", b"x-gzip", b"deflate"})
_EITHER_FORMAT = zlib.MAX_WBITS | 32
_INFORMATION = range(100, 200)
_SUCCESSES = range(200, 300)
_STATUSES = frozenset(HTTPStatus)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back, whole, whatever it is."""

    status: int
    reason: str
    content_type: str
    body: bytes

    @property
    def fine(self) -> bool:
        """Whether the HTTP status says that it went well."""
        return self.status in _SUCCESSES

    @property
    def charset(self) -> str | None:
        """The content type's, when it names one."""
        message = Message()
        message["Content-Type"] = self.content_type
        charset = message.get_param("charset")
        return charset if isinstance(charset, str) else None


class IncomingAnswer:
    """Puts one answer together. ``whole`` is None until all of it is there; then ``reusable`` says whether
    another request may go over the same connection.

    The methods named ``on_`` are for httptools.
    """

    __slots__ = (
        "_body",
        "_came",
        "_head",
        "_in_body",
        "_parser",
        "_reason",
        "_received",
        "_status",
        "reusable",
        "whole",
    )

    def __init__(self) -> None:
        self.whole: HttpAnswer | None = None
        self.reusable = False
        self._received = 0
        self._came = False
        self._parser = HttpResponseParser(self)
        self._begin()

    def feed(self, data: bytes) -> None:
        """Take what came. Raises Lost when it is too much, and what GARBLED has."""
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            if not self._came:
                raise
            self.reusable = False  # what follows an answer spoils the connection, not the answer
        if self._received > (LARGEST_ANSWER if self._in_body else LARGEST_HEAD):
            raise _too_large()
        if self._came:
            self._finish()

    def end(self) -> None:
        """Nothing more will come. Raises EOFError, unless that is how this answer ends."""
        if not self._in_body or b"content-length" in self._head or b"transfer-encoding" in self._head:
            raise EOFError("the server closed the connection")
        self.reusable = False
        self._finish()

    def _begin(self) -> None:
        self._status = 0
        self._reason = b""
        self._head: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._in_body = False

    def _finish(self) -> None:
        reason = self._reason.decode(errors="replace") or _phrase(self._status)
        content_type = self._head.get(b"content-type", b"").decode(errors="replace")
        self.whole = HttpAnswer(self._status, reason, content_type, self._unpacked())
        del self._parser  # which knows us: nobody else would let go of both

    def _unpacked(self) -> bytes:
        """The body. We ask for it as it is, but somebody on the way may pack it all the same."""
        body = b"".join(self._body)
        if self._head.get(b"content-encoding", b"").lower() not in _PACKED:
            return body
        unpacker = zlib.decompressobj(_EITHER_FORMAT)
        unpacked = unpacker.decompress(body, LARGEST_ANSWER + 1)
        if len(unpacked) > LARGEST_ANSWER:
            raise _too_large()
        if not unpacker.eof:
            raise EOFError("the packed answer has no end")
        return unpacked

    def on_message_begin(self) -> None:
        self.reusable = False  # what comes after the answer is to nothing that we said

    def on_status(self, piece: bytes) -> None:
        if not self._came:
            self._reason += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_body:  # a trailer changes nothing
            self._head.setdefault(name.lower(), value)

    def on_headers_complete(self) -> None:
        if not self._came:
            self._in_body = True
            self._status = self._parser.get_status_code()
            self.reusable = self._parser.should_keep_alive()

    def on_body(self, piece: bytes) -> None:
        if not self._came:
            self._body.append(piece)

    def on_message_complete(self) -> None:
        if self._status in _INFORMATION:
            self._begin()  # such as 100 Continue: the answer is yet to come
        else:
            self._came = True


def _too_large() -> Lost:
    return Lost(f"The answer is larger than {LARGEST_ANSWER // 2**20} MiB, which no answer of SEQR's is.")


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in _STATUSES else ""
