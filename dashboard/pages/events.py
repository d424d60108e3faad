"""The live stream: one for each page that is looked at, all fed by one reading of the journal.

========== ===================================================================================
event      data
========== ===================================================================================
p-ID       the row of a purchase that changed, as HTML
arrival    the id of a purchase that belongs to the list and was not in it
n-KEY      a number above the list
purchase   nothing: the purchase of the page changed
stale      nothing: events were lost, read the page again
========== ===================================================================================
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog
from anyio import Event
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.desk import Desk, Visit
from dashboard.live import COUNTS_LAST, Live
from dashboard.pace import Paced, Pause, paced
from dashboard.pages.purchases import wanted
from dashboard.queries.purchases import Counts, Filter
from orchestrator.database import DatabaseUnavailable

PING = 15
"""Seconds between two signs of life, for proxies that cut silent connections."""
GRACE = 1
"""Seconds in which a stream ends by itself when the process is told to stop."""
STREAM_SECONDS = 900
"""A stream ends after this; the browser comes back, and whether he may look is asked anew."""

_MOST_DIGITS = 18

log = structlog.get_logger(__name__)

Stream = AsyncIterator[ServerSentEvent]


def routes(desk: Desk) -> list[BaseRoute]:
    return [guard.page(desk, "/events", show_events)]


async def show_events(visit: Visit) -> Response:
    after = str(_number(visit.request.headers.get("last-event-id") or visit.asked("after")))
    stop = Event()
    feed = visit.desk.feed.subscribe(after)
    events = paced(feed, pause=COUNTS_LAST, lifetime=STREAM_SECONDS, stop=stop)
    purchase_id = visit.asked("purchase")
    if purchase_id:
        stream = _of_purchase(events, purchase_id, _number(visit.asked("revision")))
    else:
        which = wanted(visit) if visit.asked("arrivals") else None
        stream = _of_list(events, visit.desk.live, which, int(after) + 1)
    return EventSourceResponse(
        _while_database_answers(stream), ping=PING, shutdown_event=stop, shutdown_grace_period=GRACE
    )


def _number(text: str) -> int:
    """A position or revision from outside; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


async def _while_database_answers(stream: Stream) -> Stream:
    """Ends the stream instead of breaking it: the browser comes back by itself."""
    try:
        async for event in stream:
            yield event
    except DatabaseUnavailable as error:
        log.warning("dashboard.stream_ends", reason=error.message)


async def _of_purchase(events: Paced, purchase_id: str, seen: int) -> Stream:
    """Says when the purchase is past the revision that the page shows."""
    async for event in events:
        if event is None:
            yield ServerSentEvent(event="stale", data="")
            return
        if isinstance(event, Pause):
            continue
        if event.purchase_id == purchase_id and event.sequence > seen:
            seen = event.sequence
            yield ServerSentEvent(event="purchase", data="", id=event.id)


async def _of_list(events: Paced, live: Live, arrivals: Filter | None, first_new: int) -> Stream:
    """Changed rows, arrivals at the list's top (not with None), and the counts a moment after each."""
    told: dict[str, int] = {}
    async for event in events:
        if isinstance(event, Pause):
            for number in _changed(told, await live.counts()):
                yield number
            continue
        if event is None:
            yield ServerSentEvent(event="stale", data="")
            return
        changed = await live.row(event)
        if changed is None:
            continue
        yield ServerSentEvent(event=f"p-{changed.row.id}", data=changed.html, id=event.id)
        if arrivals is not None and int(event.id) >= first_new and arrivals.lets_in(changed.row):
            yield ServerSentEvent(event="arrival", data=changed.row.id, id=event.id)


def _changed(told: dict[str, int], counts: Counts) -> list[ServerSentEvent]:
    numbers = {**counts.by_state, "all": counts.total, "attention": counts.attention}
    news = {key: number for key, number in numbers.items() if told.get(key) != number}
    told |= news
    return [ServerSentEvent(event=f"n-{key}", data=str(number)) for key, number in news.items()]
