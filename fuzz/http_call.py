"""A call of the application: headers and a body made of an input's bytes, sent as uvicorn would.

An input has a line for each header, an empty line, and the body; without an empty line it is all body, and
the content type is JSON's where no line says another::

    accept: application/json

    {"purchaseToken": "mug"}

What the server would not let through never gets here: a name that is none, control characters in a value, a
length that is no number. A length that is larger than the body is a caller who leaves in the middle of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")
_LENGTH = re.compile(rb"[0-9]{1,20}")
_CONTENT_LENGTH = b"content-length"
_MOST_HEADERS = 20


@dataclass(frozen=True, slots=True)
class HttpCall:
    """What is sent. ``leaves``: the caller goes before the body is whole."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    leaves: bool

    @classmethod
    def read(cls, data: bytes) -> HttpCall:
        """The call that an input describes; any bytes describe one."""
        head, body = parted(data)
        headers: dict[bytes, bytes] = {}
        for line in head.split(b"\n")[:_MOST_HEADERS]:
            name, colon, value = line.partition(b":")
            name, value = name.strip().lower(), value.strip(b" \t\r")
            if colon and _NAME.fullmatch(name) and _VALUE.fullmatch(value):
                headers.setdefault(name, value)
        headers.setdefault(b"content-type", b"application/json")
        length = headers.get(_CONTENT_LENGTH, b"")
        if not _LENGTH.fullmatch(length):
            headers.pop(_CONTENT_LENGTH, None)
            return cls(tuple(headers.items()), body, leaves=False)
        return cls(tuple(headers.items()), body[: int(length)], leaves=int(length) > len(body))

    def header(self, name: bytes) -> bytes:
        return dict(self.headers).get(name, b"")


@dataclass(slots=True)
class HttpResult:
    """What came back."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: bytes) -> bytes:
        return dict(self.headers).get(name, b"")


def parted(data: bytes) -> tuple[bytes, bytes]:
    """The lines of headers, and the body."""
    head, found, body = data.partition(b"\n\n")
    return (head, body) if found else (b"", data)


async def call(app: ASGIApp, path: str, sent: HttpCall, method: str = "POST") -> HttpResult:
    """Send it. Raises whatever gets out of the application."""
    result = HttpResult()
    half = len(sent.body) // 2
    messages = [_piece(sent.body[:half], more=True), _piece(sent.body[half:], more=sent.leaves)]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            assert not result.status, "it answers twice"
            result.status, result.headers = message["status"], list(message["headers"])
        else:
            result.body += message.get("body", b"")

    await app(_scope(method, path, sent), receive, send)
    return result


def _piece(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def _scope(method: str, path: str, sent: HttpCall) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": list(sent.headers),
        "client": ("127.0.0.1", 4711),
        "server": ("127.0.0.1", 8000),
    }
