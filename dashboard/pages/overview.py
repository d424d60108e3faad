"""The overview: whether money flows, what was sold, what needs a hand."""

from __future__ import annotations

from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import board, guard
from dashboard.answer import link, page
from dashboard.desk import Desk, Visit
from dashboard.language import mark
from dashboard.queries.overview import read_board
from dashboard.window import Span, window
from orchestrator.identity import now

_TABS = {Span.TODAY: mark("Today"), Span.DAY: mark("24 hours"), Span.WEEK: mark("7 days")}


def routes(desk: Desk) -> list[BaseRoute]:
    return [guard.page(desk, "/", show_overview)]


async def show_overview(visit: Visit) -> Response:
    zone = visit.desk.parts.settings.zone
    looked_at = window(visit.asked("window"), now(), zone)
    # The position comes first: what happens while the rest is read is then told twice, not never.
    position = await visit.desk.feed.position()
    live, language, database = visit.desk.live, visit.language, visit.desk.parts.database
    found = await database.read(read_board, looked_at)
    drawn = board.pieces(live, language, found, zone, visit.may_act)
    drawn["health"] = await board.health(live, database, language)
    return page(
        visit,
        "overview/overview.html",
        pieces={name: Markup(html) for name, html in drawn.items()},  # noqa: S704
        tabs=[(label, board.here(span), span is looked_at.span) for span, label in _TABS.items()],
        here=board.here(looked_at.span),
        stream=link("/events", page="overview", window=looked_at.span.value, after=position),
    )
