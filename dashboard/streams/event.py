"""What goes through a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sse_starlette import ServerSentEvent

Stream = AsyncIterator[ServerSentEvent | bytes]
"""Events, or several as they go out, made once for all who are told the same."""

STALE = "stale"
"""Events were lost: read the page again."""


def stale() -> ServerSentEvent:
    """Says that the page has missed something and has to be read again."""
    return ServerSentEvent(event=STALE, data="")


def number(text: str) -> int:
    """A position or revision from outside; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


_MOST_DIGITS = 18
