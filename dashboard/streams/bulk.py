"""Bulk runs: how far one has come, or all of them. Read once for all who look, and only while somebody does.

========== =========================================
event      data
========== =========================================
progress   bar and numbers of the run, as HTML
problems   what was refused or failed, as HTML
ended      nothing: the run has ended
runs       the newest runs, as HTML
========== =========================================
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from sse_starlette import ServerSentEvent

from dashboard.desk import Visit
from dashboard.pace import Tick, ticking
from dashboard.pages.bulk import of_run, of_runs
from dashboard.queries.bulk import Progress, read_progress, read_runs
from dashboard.streams.event import Stream
from orchestrator.feed import Batches

TICK = 0.5
"""Seconds between two looks: items end without an event of their own."""

Pieces = dict[str, str]


async def stream(visit: Visit, events: Batches) -> Stream:
    """Asked for with the run's ``id``, or without one for all."""
    run_id, told = visit.asked("id"), Pieces()
    async for _ in _ticks(events):
        pieces = await (_of_run(visit, run_id) if run_id else _of_all(visit))
        for name, html in pieces.items():
            if told.get(name) != html:
                told[name] = html
                yield ServerSentEvent(event=name, data=html)


async def _ticks(events: Batches) -> AsyncIterator[None]:
    async with aclosing(ticking(events, TICK)) as ticked:
        async for event in ticked:
            if isinstance(event, Tick):
                yield


async def _of_run(visit: Visit, run_id: str) -> Pieces:
    live, database, language = visit.desk.live, visit.desk.parts.database, visit.language

    async def read() -> Progress | None:
        return await database.read(read_progress, run_id)

    async def draw() -> Pieces:
        progress = await live.shared(f"bulk read {run_id}", read, TICK / 2)
        if progress is None:
            return {}
        pieces = {
            name: live.render(language, f"bulk/{name}.html", **of_run(progress))
            for name in ("progress", "problems")
        }
        return pieces | ({"ended": ""} if progress.run.ended else {})

    return await live.shared(f"bulk drawn {language} {run_id}", draw, TICK / 2)


async def _of_all(visit: Visit) -> Pieces:
    live, database, language = visit.desk.live, visit.desk.parts.database, visit.language

    async def draw() -> Pieces:
        found = await live.shared("bulk runs", lambda: database.read(read_runs), TICK / 2)
        return {"runs": live.render(language, "bulk/runs.html", **of_runs(found))}

    return await live.shared(f"bulk runs {language}", draw, TICK / 2)
