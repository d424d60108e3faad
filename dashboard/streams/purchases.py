"""The list of purchases: rows that changed, arrivals above it, the counts of its tabs.

========== ===================================================================================
event      data
========== ===================================================================================
p-ID       the row of a purchase that changed, as HTML
out        the id of a purchase that does not fit the list's filter any more
arrival    the id of a purchase that belongs to the list and was not in it
n-KEY      a number above the list
stale      nothing: events were lost
========== ===================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator

from sse_starlette import ServerSentEvent

from dashboard.desk import Visit
from dashboard.filter import parse
from dashboard.live import LiveRow
from dashboard.pace import Paced, Pause
from dashboard.queries.purchases import Counts, lets_in
from dashboard.streams.event import Stream, number, stale
from orchestrator.search import understand
from orchestrator.tail import FeedEvent


async def stream(visit: Visit, events: Paced) -> Stream:
    """Changed rows, arrivals at the list's top (only with ``arrivals``), the counts a moment after each."""
    live, told = visit.desk.live, dict[str, str]()
    which = parse(visit).filter
    query = await visit.desk.parts.database.read(understand, which.q) if which.q else None
    first_new = number(visit.request.headers.get("last-event-id") or visit.asked("after")) + 1
    async for event in events:
        if isinstance(event, Pause):
            for count in _changed(visit, told, await live.counts()):
                yield count
            continue
        if event is None:
            yield stale()
            return
        changed = await live.row(event)
        if changed is not None:
            is_new = bool(visit.asked("arrivals")) and int(event.id) >= first_new
            for news in _news(visit, event, changed, lets_in(which, query, changed.row), is_new):
                yield news


def _news(
    visit: Visit, event: FeedEvent, changed: LiveRow, fits: bool, is_new: bool
) -> Iterator[ServerSentEvent]:
    row = changed.row
    yield ServerSentEvent(event=f"p-{row.id}", data=changed.html[visit.language], id=event.id)
    if not fits:
        yield ServerSentEvent(event="out", data=row.id, id=event.id)
    elif is_new:
        yield ServerSentEvent(event="arrival", data=row.id, id=event.id)


def _changed(visit: Visit, told: dict[str, str], counts: Counts) -> list[ServerSentEvent]:
    numbers = {**counts.by_state, "all": counts.total, "attention": counts.attention}
    shown = {key: visit.words.number(number) for key, number in numbers.items()}
    news = {key: number for key, number in shown.items() if told.get(key) != number}
    told |= news
    return [ServerSentEvent(event=f"n-{key}", data=number) for key, number in news.items()]
