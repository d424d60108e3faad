"""The system's page: its condition, every few seconds if it has changed.

========== ==================================
event      data
========== ==================================
condition  everything that the page shows, as HTML
========== ==================================
"""

from __future__ import annotations

from contextlib import aclosing

from sse_starlette import ServerSentEvent

from dashboard import condition
from dashboard.desk import Visit
from dashboard.pace import Tick, ticking
from dashboard.streams.event import Stream
from orchestrator.feed import Batches


async def stream(visit: Visit, events: Batches) -> Stream:
    told = ""
    async with aclosing(ticking(events, condition.EVERY)) as ticked:
        async for event in ticked:
            if not isinstance(event, Tick):
                continue
            html = await condition.drawn(visit.desk, visit.language)
            if html != told:
                told = html
                yield ServerSentEvent(event="condition", data=html)
