"""The overview: whether money flows, what was sold, what needs a hand."""

from __future__ import annotations

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import board, guard
from dashboard.answer import link, page
from dashboard.desk import Desk, Visit
from dashboard.language import mark
from dashboard.queries.overview import Board, read_board
from dashboard.window import Span, Window, window
from orchestrator import pulse
from orchestrator.identity import now
from orchestrator.pulse import Pulse

_TABS = {Span.TODAY: mark("Today"), Span.DAY: mark("24 hours"), Span.WEEK: mark("7 days")}


def routes(desk: Desk) -> list[BaseRoute]:
    return [guard.page(desk, "/", show_overview)]


async def show_overview(visit: Visit) -> Response:
    zone = visit.desk.parts.settings.zone
    looked_at = window(visit.asked("window"), now(), zone)
    # The position comes first: what happens while the rest is read is then told twice, not never.
    position = await visit.desk.feed.position()
    found, beat = await visit.desk.parts.database.read(_read, looked_at)
    live, language = visit.desk.live, visit.language
    drawn = board.pieces(live, language, found, zone, visit.may_act)
    drawn["health"] = board.health(live, language, beat)
    return page(
        visit,
        "overview/overview.html",
        pieces={name: Markup(html) for name, html in drawn.items()},  # noqa: S704
        tabs=[(label, board.here(span), span is looked_at.span) for span, label in _TABS.items()],
        here=board.here(looked_at.span),
        stream=link("/events", page="overview", window=looked_at.span.value, after=position),
    )


def _read(connection: Connection, looked_at: Window) -> tuple[Board, Pulse]:
    return read_board(connection, looked_at), pulse.read(connection, looked_at.at)
