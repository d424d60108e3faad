"""The log: one line for each event, with a stable name and ids; readable on a terminal, JSON elsewhere.

What libraries log goes the same way. Secrets are masked last, so that none slips in by an error's text.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from orchestrator.secrecy import MASK, Secrecy
from orchestrator.settings import Settings

SECRET_KEYS = frozenset({"authorization", "cookie", "password", "secret", "set-cookie", "token"})
"""A value under one of these names is masked whatever it is."""

_TEXTS_OF_LINES = frozenset({"exception", "stack"})
_QUIET = ("aiohttp", "apscheduler", "asyncio", "httpx", "uvicorn.access", "zeep")
"""These libraries tell more than a merchant wants to know, zeep even the SOAP messages themselves."""


def configure(settings: Settings, secrecy: Secrecy, stream: TextIO | None = None) -> None:
    """Send everything that this process logs to ``stream``, by default standard error."""
    stream = stream or sys.stderr
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(as_json, stream.isatty(), secrecy))
    root = logging.getLogger()
    for earlier in list(root.handlers):
        root.removeHandler(earlier)
    root.addHandler(handler)
    _set_levels(settings.log_level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_told_of_every_event(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _set_levels(level: str) -> None:
    logging.getLogger().setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.WARNING))
    for name in ("uvicorn", "uvicorn.error"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    logging.captureWarnings(capture=True)


def _told_of_every_event() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(as_json: bool, colours: bool, secrecy: Secrecy) -> logging.Formatter:
    render: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_told_of_every_event(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            Masker(secrecy),
            render,
        ],
    )


class Masker:
    """A processor that hides secrets, and shows control characters instead of sending them to a terminal."""

    def __init__(self, secrecy: Secrecy) -> None:
        self._secrecy = secrecy

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
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
