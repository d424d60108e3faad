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

from dashboard.changes import Numbers, View
from dashboard.desk import Visit
from dashboard.filter import parse
from dashboard.streams.event import Stream, number, stale
from orchestrator.feed import Batches
from orchestrator.search import understand


async def stream(visit: Visit, events: Batches) -> Stream:
    """What each batch has changed, as one message; arrivals at the list's top only with ``arrivals``."""
    view, words, seen = await _view(visit), visit.words, Numbers()
    async for batch in events:
        if batch is None:
            yield stale()
            return
        changes = await visit.desk.live.changes(batch)
        message = changes.message(view, seen, words.number)
        seen = changes.numbers
        if message:
            yield message


async def _view(visit: Visit) -> View:
    which = parse(visit).filter
    query = await visit.desk.parts.database.read(understand, which.q) if which.q else None
    position = number(visit.request.headers.get("last-event-id") or visit.asked("after"))
    return View(visit.language, which, query, position + 1 if visit.asked("arrivals") else None)
