"""Every HTTP request, told once when it is over: what, how it ended, how long it took. Never a body."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.identity import new_id
from orchestrator.invoice import NOTIFICATION_PATH
from orchestrator.secrecy import MASK

log = structlog.get_logger(__name__)

Listener = Callable[[str, int, float], None]
"""Told of a request when it is over: its path, the answer's status, and the seconds that it took."""

HEADER = "X-Request-ID"

_SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{3,63}")
_SEEN_ALL_THE_TIME = ("/healthz", "/readyz", "/metrics", "/static/")
_CUT_SHORT = 499
"""The status that is told when the caller left before there was an answer."""


class RequestLog:
    """Pure ASGI. Binds ``request_id`` to all that is logged while the request lasts, and sends it back."""

    def __init__(self, app: ASGIApp, listener: Listener | None = None) -> None:
        self._app = app
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        told = _Told(send, request_id)
        begun = time.perf_counter()
        try:
            await self._app(scope, receive, told)
        except Exception:
            told.status = 500
            log.exception("http.failed", path=shown_path(scope))
            raise
        finally:
            self._tell(scope, told.status, time.perf_counter() - begun)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        path = shown_path(scope)
        level = log.debug if path.startswith(_SEEN_ALL_THE_TIME) else log.info
        level(
            "http.request",
            method=scope["method"],
            path=path,
            status=status,
            duration_ms=round(seconds * 1000, 1),
        )
        if self._listener is not None:
            self._listener(scope["path"], status, seconds)


class _Told:
    """Passes the answer on, with the request's id in it, and remembers the status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.status = _CUT_SHORT
        self._send = send
        self._request_id = request_id

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)[HEADER] = self._request_id
        await self._send(message)


def shown_path(scope: Scope) -> str:
    """The path as it came, percent-encoded, without the query and without a notification address's key."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0].decode("ascii", "backslashreplace")
    if not scope["path"].startswith(NOTIFICATION_PATH):
        return path
    purchase_id = scope["path"].removeprefix(NOTIFICATION_PATH).partition(".")[0]
    known = re.fullmatch(r"[0-9a-f-]{36}", purchase_id)
    return f"{NOTIFICATION_PATH}{purchase_id if known else ''}.{MASK}"


def _request_id(scope: Scope) -> str:
    """The caller's id if it is a sane one, else one of ours."""
    given = Headers(scope=scope).get(HEADER, "")
    return given if _SANE_ID.fullmatch(given) else new_id()
