"""How large a request's body may be, before anybody reads it."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.front.header import first
from orchestrator.rest.errors import Refusal, handlers

LARGEST = 1024 * 1024
"""Bytes. Most edges take less and say so themselves; none that is not listed as larger takes more."""


class BodyLimit:
    """Refuses with 413 what is declared larger, and stops reading what turns out to be.

    ``larger`` has the paths, by prefix, that bound their bodies themselves, and above what size nobody
    listens there either.
    """

    def __init__(self, app: ASGIApp, larger: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._larger = dict(larger or {})
        self._prefixes = tuple(self._larger)
        self._tell = handlers()[Exception]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._most(scope["path"])
        if _declared(scope) > most:
            answer = await self._tell(Request(scope), _too_large(most))
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)
            return
        await self._app(scope, _Bounded(receive, most), send)

    def _most(self, path: str) -> int:
        if not path.startswith(self._prefixes):
            return LARGEST
        return next(most for prefix, most in self._larger.items() if path.startswith(prefix))


class _Bounded:
    """Passes a body on as long as it is not too large."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._most = most
        self._left = most

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _too_large(self._most)
        return message


def _declared(scope: Scope) -> int:
    """The Content-Length; the server has seen to it that it is one number."""
    length = first(scope, b"content-length")
    return int(length) if length is not None and length.isdigit() else 0


def _too_large(most: int) -> Refusal:
    return Refusal(413, "invalid_request", f"The body must not be larger than {most // 1024} KiB.")
