"""What every answer carries, whoever gives it: pages, JSON, files, errors.

The strictest is the default; who needs less sets the header itself, as the pages do.
"""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import URL, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STRICT = {
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_A_YEAR = "max-age=31536000"
_STATIC = "/static/"


class SafeAnswers:
    """Adds the headers that an answer does not have; outermost, so that no error escapes it.

    ``https``: the public address is one, so browsers shall come by no other way. A redirect to our own host
    is told without the host: that was the caller's word.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = STRICT | ({"Strict-Transport-Security": _A_YEAR} if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-cache" if _STATIC in scope["path"] else "no-store")
                if "location" in headers:
                    headers["Location"] = _without_host(headers["location"], scope)
            await send(message)

        await self._app(scope, receive, send_safely)


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
