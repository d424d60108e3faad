"""How our own events become lines, and where lines go: as cheaply as can be, since a purchase tells several.

The standard library's way, a record and a formatter for each event, costs several times as much; it is left
to libraries. Of structlog this has all that is asked of it here, and nothing else.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

PROCESSORS: list[Processor] = []
"""What is done to each event of ours; the last one makes the line. A logger keeps the list that it saw when
it was first used, so this one is changed in place when the log is configured again."""


class Sink:
    """Where lines go: our own, and those of libraries."""

    def __init__(self) -> None:
        self.stream: TextIO | None = None
        """None: what is standard error at that moment; it may be replaced while the process runs."""
        self._writing = threading.RLock()

    def write(self, line: str) -> None:
        """Write it in one piece, whoever else writes."""
        with self._writing:
            (self.stream or sys.stderr).write(f"{line}\n")


SINK = Sink()


class Lines:
    """What structlog makes for the name of each logger."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.write = SINK.write


class Teller(structlog.BoundLoggerBase):
    """A logger of ours, as ``structlog.get_logger`` gives it: events have a name, and values."""

    def debug(self, event: str, **values: Any) -> None:
        self._tell("debug", event, values)

    def info(self, event: str, **values: Any) -> None:
        self._tell("info", event, values)

    def warning(self, event: str, **values: Any) -> None:
        self._tell("warning", event, values)

    def error(self, event: str, **values: Any) -> None:
        self._tell("error", event, values)

    def exception(self, event: str, **values: Any) -> None:
        """With the trace of the exception that is being handled."""
        self._tell("error", event, {"exc_info": True, **values})

    def _tell(self, level: str, event: str, values: dict[str, Any]) -> None:
        told: Any = {**self._context, **values} if self._context else values
        told["event"] = event
        try:
            for processor in self._processors:
                told = processor(self._logger, level, told)
        except structlog.DropEvent:
            return
        self._logger.write(told)


class AtLeast:
    """A processor that drops what is below a level."""

    def __init__(self, level: str) -> None:
        levels = logging.getLevelNamesMapping()
        self._dropped = {name.lower() for name, number in levels.items() if number < levels[level]}

    def __call__(self, _logger: Any, method: str, event: EventDict) -> EventDict:
        if method in self._dropped:
            raise structlog.DropEvent
        return event


def describe(logger: Any, method: str, event: EventDict) -> EventDict:
    """A processor that adds what every event of ours has: level, logger and time."""
    event["level"] = method
    event["logger"] = logger.name
    event["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return event


class Library(logging.Handler):
    """Writes what libraries log to where our own events go."""

    def emit(self, record: logging.LogRecord) -> None:
        SINK.write(self.format(record))


def without_colours(_logger: Any, _method: str, event: EventDict) -> Mapping[str, Any]:
    """A processor for uvicorn, which adds its message once more, with a terminal's escape codes."""
    event.pop("color_message", None)
    return event
