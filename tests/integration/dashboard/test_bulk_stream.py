"""The streams of bulk runs: what one viewer asks for is no other's business."""

from __future__ import annotations

import asyncio

from orchestrator.bulk import Seen
from tests.fixtures.bulk import begin
from tests.fixtures.dashboard import Office


async def test_a_stream_of_no_run_disturbs_no_other(sqlite_office: Office) -> None:
    run_id = await begin(sqlite_office.database, [Seen(await sqlite_office.purchase("stocked"), 4)])
    visitor = await sqlite_office.signed_in("vera")

    async def first_event(of: str) -> str:
        address = f"{sqlite_office.base_url}/events?page=bulk&id={of}"
        headers = {"Accept": "text/event-stream", "Accept-Language": "en"}
        async with visitor.http.get(address, headers=headers) as answer:
            async for line in answer.content:
                if line.startswith(b"event: "):
                    return line.decode().strip()
        return "ended"

    strangers = [asyncio.create_task(first_event(f"{run_id}:en")) for _ in range(3)]
    async with asyncio.timeout(10):
        assert await asyncio.gather(*(first_event(run_id) for _ in range(3))) == ["event: progress"] * 3
    for stranger in strangers:
        stranger.cancel()
    await asyncio.wait(strangers)
    assert all(stranger.cancelled() for stranger in strangers)
