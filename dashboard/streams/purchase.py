"""The page of one purchase: says when the purchase is past the revision that the page shows.

========== =======================================
event      data
========== =======================================
purchase   nothing: the purchase changed
stale      nothing: events were lost
========== =======================================
"""

from __future__ import annotations

from sse_starlette import ServerSentEvent

from dashboard.desk import Visit
from dashboard.streams.event import Stream, number, stale
from orchestrator.feed import Batches


async def stream(visit: Visit, events: Batches) -> Stream:
    """Asked for with the purchase's ``id`` and the ``revision`` that is shown."""
    purchase_id, seen = visit.asked("id"), number(visit.asked("revision"))
    async for batch in events:
        if batch is None:
            yield stale()
            return
        event = batch.latest.get(purchase_id)
        if event is not None and event.sequence > seen:
            seen = event.sequence
            yield ServerSentEvent(event="purchase", data="", id=event.id)
