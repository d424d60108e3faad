"""What every answer carries, whoever gives it: pages, JSON, files, errors.

The strictest is the default; who needs less sets the header itself, as the pages do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import URL
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Header = tuple[bytes, bytes]

STRICT = (
    (
        b"content-security-policy",
        b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
)
_A_YEAR = (b"strict-transport-security", b"max-age=31536000")
_KEPT, _NOT_KEPT = (b"cache-control", b"no-cache"), (b"cache-control", b"no-store")
_STATIC = "/static/"
_LOCATION = b"location"


class SafeAnswers:
    """Adds the headers that an answer does not have; outermost, so that no error escapes it.

    ``https``: the public address is one, so browsers shall come by no other way. A redirect to our own host
    is told without the host: that was the caller's word.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        headers = (*STRICT, _A_YEAR) if https else STRICT
        self._static, self._usual = (*headers, _KEPT), (*headers, _NOT_KEPT)
        self._names = frozenset(name for name, _ in self._usual) | {_LOCATION}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._completed(message["headers"], scope)
            await send(message)

        await self._app(scope, receive, send_safely)

    def _completed(self, given: Iterable[Header], scope: Scope) -> list[Header]:
        """The headers of an answer, with those that it lacks behind them."""
        headers = list(given)
        ours = self._static if _STATIC in scope["path"] else self._usual
        names = {name for name, _ in headers}
        if self._names.isdisjoint(names):
            return [*headers, *ours]
        headers += [(name, value) for name, value in ours if name not in names]
        return [
            (name, _without_host(value.decode("latin-1"), scope).encode("latin-1"))
            if name == _LOCATION
            else (name, value)
            for name, value in headers
        ]


class Fronted(Starlette):
    """An application all of whose answers are safe, those to unforeseen errors too."""

    def __init__(self, *, https: bool, **options: Any) -> None:
        super().__init__(**options)
        self._https = https

    def build_middleware_stack(self) -> ASGIApp:
        """Once, when the first request comes."""
        return SafeAnswers(super().build_middleware_stack(), https=self._https)


def _without_host(location: str, scope: Scope) -> str:
    """Starlette builds redirects of its own from the request's address, host and all."""
    host = URL(scope=scope).netloc
    for scheme in ("http", "https"):
        ours = f"{scheme}://{host}/"
        if location.startswith(ours):
            return "/" + location.removeprefix(ours).lstrip("/\\")
    return location
