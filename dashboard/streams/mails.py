"""The mails, or one of them: says when they are not as the page shows them. Read once for all who look.

========== =======================================
event      data
========== =======================================
mails      nothing: something has changed
========== =======================================

A mail changes without a row in the journal, so it is looked at every few seconds. What the page shows stands
in the address of its stream, so nothing is missed while a connection is lost.
"""

from __future__ import annotations

from sse_starlette import ServerSentEvent

from dashboard.desk import Visit
from dashboard.pace import Tick, ticking
from dashboard.queries.mails import read_digest, read_state
from dashboard.streams.event import Stream
from orchestrator.feed import Batches

EVERY = 0.5
"""Seconds between two looks at what is shared."""
LASTS = 1.0
"""Seconds for which what was read is shared."""


async def stream(visit: Visit, events: Batches) -> Stream:
    """Asked for with what is ``shown``, and with the ``id`` where that is one mail."""
    shown = visit.asked("shown")
    async for event in ticking(events, EVERY):
        if isinstance(event, Tick) and (found := await _look(visit)) != shown:
            shown = found
            yield ServerSentEvent(event="mails", data="")


async def _look(visit: Visit) -> str:
    database, mail_id = visit.desk.parts.database, visit.asked("id")

    async def read() -> str:
        if mail_id:
            return await database.read(read_state, mail_id)
        return " ".join(map(str, await database.read(read_digest)))

    return await visit.desk.live.shared(f"mails {mail_id}", read, lasts=LASTS)
