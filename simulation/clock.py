"""Virtual time: an event loop that never waits. When nothing is left to do now, it is later at once."""

from __future__ import annotations

import asyncio
import selectors
from datetime import UTC, datetime, timedelta

_BEGINNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Standstill(RuntimeError):
    """Everybody waits for somebody else, for ever: nothing is planned any more."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop, with a clock of its own. Callbacks keep their order: first come, first served."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        """Virtual seconds since the beginning."""
        super().__init__(_Leap(self))

    def time(self) -> float:
        return self.elapsed

    def now(self) -> datetime:
        """The virtual time of day."""
        return _BEGINNING + timedelta(seconds=self.elapsed)


class _Leap(selectors.SelectSelector):
    """In the place where a loop waits for the network, or for time to pass, time passes."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Standstill
        if timeout > 0:
            self._loop.elapsed += timeout
        return []
