"""How the system is: processes and their jobs, SEQR, database, mails."""

from __future__ import annotations

from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import condition, guard
from dashboard.answer import link, page
from dashboard.desk import Desk, Visit

HERE = "/system"


def routes(desk: Desk) -> list[BaseRoute]:
    return [guard.page(desk, HERE, show_system)]


async def show_system(visit: Visit) -> Response:
    position = await visit.desk.feed.position()
    html = await condition.drawn(visit.desk, visit.language)
    return page(
        visit,
        "system/system.html",
        condition=Markup(html),  # noqa: S704
        stream=link("/events", page="system", after=position),
    )
