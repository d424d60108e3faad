"""The list of purchases: rows that changed, arrivals above it, the counts of its tabs.

========== ===================================================================================
event      data
========== ===================================================================================
p-ID       the row of a purchase that changed, as HTML
arrival    the id of a purchase that belongs to the list and was not in it
n-KEY      a number above the list
stale      nothing: events were lost
========== ===================================================================================
"""

from __future__ import annotations

from sse_starlette import ServerSentEvent

from dashboard.desk import Visit
from dashboard.pace import Paced, Pause
from dashboard.pages.purchases import wanted
from dashboard.queries.purchases import Counts
from dashboard.streams.event import Stream, number, stale


async def stream(visit: Visit, events: Paced) -> Stream:
    """Changed rows, arrivals at the list's top (only with ``arrivals``), the counts a moment after each."""
    live, told = visit.desk.live, dict[str, int]()
    arrivals = wanted(visit) if visit.asked("arrivals") else None
    first_new = number(visit.request.headers.get("last-event-id") or visit.asked("after")) + 1
    async for event in events:
        if isinstance(event, Pause):
            for count in _changed(told, await live.counts()):
                yield count
            continue
        if event is None:
            yield stale()
            return
        changed = await live.row(event)
        if changed is None:
            continue
        yield ServerSentEvent(event=f"p-{changed.row.id}", data=changed.html[visit.language], id=event.id)
        if arrivals is not None and int(event.id) >= first_new and arrivals.lets_in(changed.row):
            yield ServerSentEvent(event="arrival", data=changed.row.id, id=event.id)


def _changed(told: dict[str, int], counts: Counts) -> list[ServerSentEvent]:
    numbers = {**counts.by_state, "all": counts.total, "attention": counts.attention}
    news = {key: number for key, number in numbers.items() if told.get(key) != number}
    told |= news
    return [ServerSentEvent(event=f"n-{key}", data=str(number)) for key, number in news.items()]
