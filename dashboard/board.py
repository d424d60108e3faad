"""How the overview is drawn: its pieces, the same for the page and for its live changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from sqlalchemy import Connection

from dashboard import chart
from dashboard.actions import buttons
from dashboard.answer import link
from dashboard.filter import LIST, address
from dashboard.language import mark
from dashboard.live import Live
from dashboard.queries.doubt import read_untold, read_waiting
from dashboard.queries.overview import SOLD, Bar, Board, Needy
from dashboard.window import Span, Window
from orchestrator import pulse
from orchestrator.database import Database
from orchestrator.identity import now
from orchestrator.pulse import DEADLINE, Pulse
from orchestrator.selection import Filter
from statemachine import Action, Reason, State

LATE = 10.0
"""Seconds; what was asked longer ago than this is late, though SEQR waits for 20."""
HEALTH_LASTS = 1.0
"""Seconds."""

_MARK_EVERY = {Span.TODAY: 6, Span.DAY: 6, Span.WEEK: 4}
_RECEIVE = mark("Receive stock")
_OPEN = mark("Open it")
_HELPS = {
    State.RECEIVED: Action.RETRY,
    State.INVOICED: Action.CHECK,
    State.PAID: Action.RETRY,
    State.FAILED: Action.CHECK,
}
"""What helps a purchase that needs a hand, by its state; where nothing does, it is for a person to read."""


@dataclass(frozen=True, slots=True)
class Help:
    """The one thing to do: a page to go to, or an action, which is a form's address; ``words`` say more."""

    label: str
    address: str
    is_action: bool
    words: str = ""


@dataclass(frozen=True, slots=True)
class Links:
    """The lists behind the numbers, with the same bounds."""

    window: Window
    zone: tzinfo

    def created(self, *states: str) -> str:
        """What was made in the window, and is in one of the states now."""
        return address(Filter(states=states, since=self.window.since), self.zone)

    def sold(self) -> str:
        return self.created(*SOLD)

    def bar(self, bar: Bar) -> str:
        return address(Filter(since=bar.start, until=bar.end), self.zone)

    def sold_bar(self, bar: Bar) -> str:
        return address(Filter(states=SOLD, since=bar.start, until=bar.end), self.zone)

    def attention(self) -> str:
        return address(Filter(attention=True), self.zone)

    def reversed(self) -> str:
        since, reason = self.window.since, Reason.REVERSED.value
        return address(Filter(states=(State.FAILED.value,), reason=reason, since=since), self.zone)


def here(span: Span) -> str:
    """The overview's own address."""
    return link("/", window="" if span is Span.TODAY else span.value)


def pieces(live: Live, language: str, board: Board, zone: tzinfo, may_act: bool) -> dict[str, str]:
    """The HTML of each piece by its name; nothing in it belongs to one person or session."""
    figures, to = board.figures, Links(board.figures.window, zone)
    drawn = chart.draw(figures.bars, figures.window.at, _MARK_EVERY[figures.window.span])
    return {
        "figures": live.render(language, "overview/figures.html", board=board, figures=figures, to=to),
        "chart": live.render(language, "overview/chart.html", chart=drawn, figures=figures, to=to),
        "attention": live.render(
            language,
            "overview/attention.html",
            needy=[(needy, help_for(needy)) for needy in board.needy],
            total=board.attention,
            reversed=board.reversed,
            outage=board.outage,
            to=to,
            may_act=may_act,
        ),
        "feed": live.render(language, "overview/feed.html", happened=board.happened),
    }


async def health(live: Live, database: Database, language: str) -> str:
    """The HTML of SEQR's health; read once for all who look, and up to ``HEALTH_LASTS`` old."""

    async def draw() -> str:
        beat, waiting, untold = await live.shared("pulse", lambda: database.read(_read_health), HEALTH_LASTS)
        return _health(live, language, beat, waiting, untold)

    return await live.shared(f"health:{language}", draw, HEALTH_LASTS)


def _read_health(connection: Connection) -> tuple[Pulse, int, int]:
    return pulse.read(connection, now()), read_waiting(connection), read_untold(connection)


def _health(live: Live, language: str, beat: Pulse, waiting: int, untold: int) -> str:
    return live.render(
        language,
        "overview/health.html",
        pulse=beat,
        late=beat.longest_unasked > LATE,
        deadline=DEADLINE,
        share=round(min(beat.longest_unasked / DEADLINE, 1) * 100),
        waiting=waiting,
        untold=untold,
        to_waiting=f"{LIST}?state={State.INVOICED.value}",
    )


def help_for(needy: Needy) -> Help:
    """What would get it going again."""
    page, state = f"/purchases/{needy.id}", State(needy.state)
    if needy.missing:
        return Help(_RECEIVE, f"/products/{needy.missing}", is_action=False)
    if state not in _HELPS:
        return Help(_OPEN, page, is_action=False)
    button = next(button for button in buttons(needy.state) if button.action == _HELPS[state])
    return Help(button.label, f"{page}/{button.action}", is_action=True, words=button.words)
