"""The log: one line for each event, with a stable name and ids; readable on a terminal, JSON elsewhere.

What libraries log goes the same way. Secrets are masked last, so that none slips in by an error's text.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TextIO

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import EventDict, Processor

from orchestrator.front.header import first
from orchestrator.identity import new_id
from orchestrator.invoice import NOTIFICATION_PATH
from orchestrator.log_lines import (
    PROCESSORS,
    SINK,
    AtLeast,
    Library,
    Lines,
    Teller,
    describe,
    without_colours,
)
from orchestrator.secrecy import MASK, Secrecy
from orchestrator.settings import Settings

log = structlog.get_logger(__name__)

Listener = Callable[[str, int, float], None]
"""Told of a request when it is over: its path, the answer's status, and the seconds that it took."""

HEADER = b"x-request-id"
SECRET_KEYS = frozenset({"authorization", "cookie", "password", "secret", "set-cookie", "token"})
"""A value under one of these names is masked whatever it is."""

_TEXTS_OF_LINES = frozenset({"exception", "stack"})
_MOST_NAMES = 1000
_PLAIN = frozenset({bool, float, int, type(None)})
_QUIET = ("aiohttp", "alembic", "apscheduler", "asyncio", "transitions", "uvicorn.access", "zeep")
"""These libraries tell more than a merchant wants to know, zeep even the SOAP messages themselves."""

_SANE_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{3,63}")
_PURCHASE_ID = re.compile(r"[0-9a-f-]{36}")
_SEEN_ALL_THE_TIME = ("/healthz", "/readyz", "/metrics", "/static/", "/sandbox/seqr")
_CUT_SHORT = 499
"""The status that is told when the caller left before there was an answer."""


def configure(settings: Settings, *secrets: str, stream: TextIO | None = None) -> None:
    """Send everything that this process logs to ``stream``, by default standard error. ``secrets`` are masked
    too, beside those of the settings."""
    terminal = (stream or sys.stderr).isatty()
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not terminal)
    masker = Masker(Secrecy.of(settings, *secrets))
    finish: list[Processor] = [structlog.processors.format_exc_info, masker, _renderer(as_json, terminal)]
    level = settings.log_level.upper()
    SINK.stream = stream
    PROCESSORS[:] = [AtLeast(level), structlog.contextvars.merge_contextvars, describe, *finish]
    structlog.configure(
        processors=PROCESSORS,
        logger_factory=Lines,
        wrapper_class=Teller,
        cache_logger_on_first_use=True,
    )
    _listen_to_libraries(level, finish)


def _listen_to_libraries(level: str, finish: Sequence[Processor]) -> None:
    handler = Library()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                without_colours,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
    root = logging.getLogger()
    for earlier in list(root.handlers):
        root.removeHandler(earlier)
    root.addHandler(handler)
    _set_levels(level)


def _set_levels(level: str) -> None:
    logging.getLogger().setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.WARNING))
    for name in ("uvicorn", "uvicorn.error"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.setLevel(logging.NOTSET)
        library.propagate = True
    logging.captureWarnings(capture=True)


def _renderer(as_json: bool, colours: bool) -> Processor:
    if not as_json:
        return structlog.dev.ConsoleRenderer(
            colors=colours, exception_formatter=structlog.dev.plain_traceback
        )
    encode = json.JSONEncoder(ensure_ascii=False).encode
    return lambda _logger, _method, event: encode(event)


class Masker:
    """A processor that hides secrets, and shows control characters instead of sending them to a terminal."""

    def __init__(self, secrecy: Secrecy) -> None:
        self._secrecy = secrecy
        self._harmless: set[str] = set()
        """Names of values that were seen and are none of a secret's."""

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        return event if self._is_harmless(event) else self._masked(event)

    def _is_harmless(self, event: EventDict) -> bool:
        """Whether there is nothing to mask, seen with one look at all values: so it is with most events."""
        if not self._harmless.issuperset(event) and not self._are_harmless(event):
            return False
        texts = []
        for value in event.values():
            if type(value) is str:
                texts.append(value)
            elif type(value) not in _PLAIN:
                return False
        together = " ".join(texts)
        return together.isprintable() and not self._secrecy.may_have_secrets(together)

    def _are_harmless(self, names: Iterable[str]) -> bool:
        if any(name.lower() in SECRET_KEYS for name in names):
            return False
        if len(self._harmless) < _MOST_NAMES:
            self._harmless.update(names)
        return True

    def _masked(self, event: EventDict) -> EventDict:
        return {name: self._shown(name, value) for name, value in event.items()}

    def _shown(self, name: str, value: object) -> object:
        if name.lower() in SECRET_KEYS and value:
            return MASK
        match value:
            case None | bool() | int() | float():
                return value
            case Mapping():
                return {str(key): self._shown(str(key), inner) for key, inner in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._shown("", inner) for inner in value]
        text = self._secrecy.hide(str(value))
        return text if name in _TEXTS_OF_LINES else _on_one_line(text)


def _on_one_line(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


class RequestLog:
    """Tells every HTTP request once, when it is over: what, how it ended, how long it took. Never a body.

    Pure ASGI. Binds ``request_id`` to all that is logged while the request lasts, and sends it back."""

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
            address=scope["client"][0] if scope.get("client") else "",
        )
        if self._listener is not None:
            self._listener(scope["path"], status, seconds)


class _Told:
    """Passes the answer on, with the request's id in it, and remembers the status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.status = _CUT_SHORT
        self._send = send
        self._header = (HEADER, request_id.encode())

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], self._header]
        await self._send(message)


def shown_path(scope: Scope) -> str:
    """The path as it came, percent-encoded, without the query and without a notification address's key."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0].decode("ascii", "backslashreplace")
    if not scope["path"].startswith(NOTIFICATION_PATH):
        return path
    purchase_id = scope["path"].removeprefix(NOTIFICATION_PATH).partition(".")[0]
    return f"{NOTIFICATION_PATH}{purchase_id if _PURCHASE_ID.fullmatch(purchase_id) else ''}.{MASK}"


def _request_id(scope: Scope) -> str:
    """The caller's id if it is a sane one, else one of ours."""
    given = first(scope, HEADER)
    return given.decode() if given is not None and _SANE_ID.fullmatch(given) else new_id()
