"""The overview: its pieces, whole, when something in them has changed.

========== ==========================================================
event      data
========== ==========================================================
figures    the window's numbers, as HTML
chart      purchases by the hour, as HTML
attention  what needs a hand, as HTML
feed       what has just happened, as HTML
health     how SEQR does, as HTML
========== ==========================================================
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field

from sse_starlette import ServerSentEvent

from dashboard import board
from dashboard.desk import Desk, Visit
from dashboard.live import COUNTS_LAST
from dashboard.pace import Tick, ticking
from dashboard.queries.overview import Board, read_board
from dashboard.streams.event import Stream
from dashboard.window import Span, window
from orchestrator.feed import Batches
from orchestrator.identity import now

TICK = COUNTS_LAST
"""Seconds between two looks at SEQR's health, which changes without an event, and at what came shortly after
another change."""
LONGEST = 30.0
"""Seconds after which everything is read again without an event: hours pass, ages grow."""


async def stream(visit: Visit, events: Batches) -> Stream:
    """Asked for with the ``window``. The first change after a while is told at once, those that follow within
    a second together."""
    desk, told, loop = visit.desk, _Told(), asyncio.get_running_loop()
    shown = (await desk.live.shared("overview", _new_boards, lasts=float("inf"))).of(visit.asked("window"))
    opened, changed = loop.time(), 0.0
    async with aclosing(ticking(events, TICK)) as ticked:
        async for event in ticked:
            if isinstance(event, Tick):
                for news in told.news(
                    {"health": await board.health(desk.live, desk.parts.database, visit.language)}
                ):
                    yield news
                changed = loop.time() if shown.age > LONGEST else changed
            elif event is None or event.events:
                told.last = event.last if event is not None else told.last
                changed = loop.time()
            if changed and (isinstance(event, Tick) or shown.age >= COUNTS_LAST):
                await shown.read(desk, changed)
                changed = 0.0
            if shown.read_at >= opened:
                for news in told.news(shown.pieces(visit)):
                    yield news


@dataclass
class _Told:
    """What one viewer has: the pieces, and up to which event."""

    last: str | None = None
    pieces: dict[str, str] = field(default_factory=dict)

    def news(self, pieces: dict[str, str]) -> Iterator[ServerSentEvent]:
        """The pieces that are not as they were."""
        for name, html in pieces.items():
            if self.pieces.get(name) != html:
                self.pieces[name] = html
                yield ServerSentEvent(event=name, data=html, id=self.last)


class _Shown:
    """One window's board, read at most once a second for all who look at it, and drawn once a language.

    ``read_at`` is when it was read, in the loop's time.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._board: Board | None = None
        self.read_at = 0.0
        self._reading = asyncio.Lock()
        self._drawn: dict[tuple[str, bool], dict[str, str]] = {}

    @property
    def age(self) -> float:
        """Seconds since it was read."""
        return asyncio.get_running_loop().time() - self.read_at

    async def read(self, desk: Desk, since: float) -> None:
        """Have what was there at ``since`` (the loop's time) or later."""
        async with self._reading:
            if self._board is not None and self.read_at >= since:
                return
            if self._board is not None:
                await asyncio.sleep(max(COUNTS_LAST - self.age, 0))
            begun = asyncio.get_running_loop().time()
            looked_at = window(self._name, now(), desk.parts.settings.zone)
            self._board = await desk.parts.database.read(read_board, looked_at)
            self.read_at, self._drawn = begun, {}

    def pieces(self, visit: Visit) -> dict[str, str]:
        """As HTML, for people like the visitor."""
        assert self._board is not None
        kind = visit.language, visit.may_act
        if kind not in self._drawn:
            zone = visit.desk.parts.settings.zone
            self._drawn[kind] = board.pieces(
                visit.desk.live, visit.language, self._board, zone, visit.may_act
            )
        return self._drawn[kind]


class _Boards:
    """Those of all windows."""

    def __init__(self) -> None:
        self._shown = {span.value: _Shown(span.value) for span in Span}

    def of(self, name: str) -> _Shown:
        return self._shown.get(name) or self._shown[Span.TODAY.value]


async def _new_boards() -> _Boards:
    return _Boards()
