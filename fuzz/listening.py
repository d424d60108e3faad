"""The product's log, listened to: an error in it is one that nobody let out, but that nobody foresaw."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

from orchestrator.logs import Masker
from orchestrator.secrecy import Secrecy
from orchestrator.settings import Settings


class Listener:
    """Keeps the errors that were told since it was last asked."""

    def __init__(self) -> None:
        self._errors: list[str] = []

    def hear(self, _logger: Any, method: str, event: MutableMapping[str, Any]) -> Any:
        """A processor of structlog: the last one, from which nothing comes out."""
        line = json.dumps(event, ensure_ascii=False)
        if method in ("error", "exception", "critical"):
            self._errors.append(line)
        raise structlog.DropEvent

    def hear_loop(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An event loop's handler of what nobody waited for."""
        self._errors.append(f"{context.get('message')}: {context.get('exception')!r}")

    def check(self) -> None:
        """Raises AssertionError if there was an error."""
        errors, self._errors = self._errors, []
        assert not errors, "\n".join(errors)


@contextmanager
def listening(settings: Settings) -> Iterator[Listener]:
    """Listen to all that the product logs, as it would be written with these settings."""
    listener, before = Listener(), structlog.get_config()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            Masker(Secrecy.of(settings)),
            listener.hear,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        cache_logger_on_first_use=False,
    )
    try:
        yield listener
    finally:
        structlog.configure(**before)
