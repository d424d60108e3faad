"""A body in chunks, unpacked by llhttp, up to where it ends and not a byte further."""

from __future__ import annotations

from collections.abc import Callable

from httptools import HttpParserError, HttpRequestParser

from orchestrator.front.head import END, LONGEST, Unreadable

_HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
_OVERLAP = len(END) - 1


class Chunks:
    """``deliver`` gets the pieces of the body."""

    def __init__(self, deliver: Callable[[bytes], None]) -> None:
        self.are_over = False
        self._deliver = deliver
        self._parser = HttpRequestParser(self)
        self._parser.feed_data(_HEAD)
        self._latest = b""
        self._beside = 0
        """Bytes since a piece of the body came: sizes, extensions, and trailers, which nobody asked for."""

    def take(self, received: bytearray) -> None:
        """Take away from ``received`` what belongs to the body. Raises Unreadable."""
        while received and not self.are_over:
            piece = bytes(received[: self._size(received)])
            del received[: len(piece)]
            self._feed(piece)

    def _size(self, received: bytearray) -> int:
        """Of what may be given to the parser at once: no body ends but with END."""
        across = (self._latest + received[:_OVERLAP]).find(END)
        if across >= 0:
            return across + len(END) - len(self._latest)
        within = received.find(END)
        return within + len(END) if within >= 0 else len(received)

    def _feed(self, piece: bytes) -> None:
        self._beside += len(piece)
        try:
            self._parser.feed_data(piece)
        except HttpParserError:
            raise Unreadable from None
        if self._beside > LONGEST:
            raise Unreadable
        self._latest = (self._latest + piece)[-_OVERLAP:]

    def on_body(self, body: bytes) -> None:
        """The parser found a piece of the body."""
        self._beside = 0
        self._deliver(body)

    def on_message_complete(self) -> None:
        """The parser found the end."""
        self.are_over = True
