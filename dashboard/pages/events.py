"""The live stream: one for each page that is looked at, all fed by one reading of the journal."""

from __future__ import annotations

import structlog
from anyio import Event, move_on_after
from sse_starlette import EventSourceResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.desk import Desk, Visit
from dashboard.streams import KINDS, Stream
from dashboard.streams.event import number
from orchestrator import session
from orchestrator.database import DatabaseUnavailable
from orchestrator.identity import now

PING = 15
"""Seconds between two signs of life, for proxies that cut silent connections."""
GRACE = 1
"""Seconds in which a stream ends by itself when the process is told to stop."""
STREAM_SECONDS = 900
"""A stream ends after this; the browser comes back, and whether he may look is asked anew."""

SESSIONS_LAST = 2.0
"""Seconds for which a stream does not notice that its session has ended."""

log = structlog.get_logger(__name__)


def routes(desk: Desk) -> list[BaseRoute]:
    return [guard.page(desk, "/events", show_events)]


async def show_events(visit: Visit) -> Response:
    """What the page of the kind ``?page=`` is told from the event ``after`` on."""
    kind = visit.asked("page")
    if kind not in KINDS:
        raise HTTPException(404)
    after = str(number(visit.request.headers.get("last-event-id") or visit.asked("after")))
    stop = Event()

    async def life() -> None:
        with move_on_after(STREAM_SECONDS):
            await stop.wait()

    events = visit.desk.feed.subscribe(after, life)
    stream = _while_database_answers(_while_signed_in(visit, KINDS[kind](visit, events)))
    return EventSourceResponse(stream, ping=PING, shutdown_event=stop, shutdown_grace_period=GRACE)


async def _while_signed_in(visit: Visit, stream: Stream) -> Stream:
    """Ends the stream with the session: nothing is told to somebody who was signed out."""
    async for event in stream:
        if not await _is_signed_in(visit):
            return
        yield event


async def _is_signed_in(visit: Visit) -> bool:
    """Told by one reading for all streams in ``SESSIONS_LAST`` seconds; a younger session is looked up."""

    async def living() -> frozenset[str]:
        return await visit.desk.parts.database.read(session.living, now())

    own = visit.person.session.id
    return own in await visit.desk.live.shared("sessions", living, SESSIONS_LAST) or own in await living()


async def _while_database_answers(stream: Stream) -> Stream:
    """Ends the stream instead of breaking it: the browser comes back by itself."""
    try:
        async for event in stream:
            yield event
    except DatabaseUnavailable as error:
        log.warning("dashboard.stream_ends", reason=error.message)
