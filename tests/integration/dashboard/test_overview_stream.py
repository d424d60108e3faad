"""What a viewer of the overview is told, on both databases, and that many cost no more than one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any

import pytest

from statemachine import Trigger
from tests.fixtures.dashboard import Office, Visitor


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@asynccontextmanager
async def _stream(visitor: Visitor, page: str) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
    """The stream that the page asks for: its events by name, with their HTML."""
    address = re.search(r'sse-connect="([^"]+)"', page)
    assert address is not None
    headers = {"Accept": "text/event-stream"}
    async with visitor.http.get(visitor.base_url + unescape(address[1]), headers=headers) as answer:
        yield _events(answer.content)


async def _events(lines: Any) -> AsyncIterator[tuple[str, str]]:
    name, data = "", list[str]()
    async for line in lines:
        field, _, value = line.decode().rstrip("\r\n").partition(": ")
        if field == "event":
            name, data = value, []
        elif field == "data":
            data.append(value)
        elif not field and name:
            yield name, "\n".join(data)
            name = ""


async def test_a_viewer_is_told_what_changes(office: Office) -> None:
    purchase_id = await office.purchase("invoiced")
    visitor = await office.signed_in()
    async with _stream(visitor, await visitor.get("/")) as told, asyncio.timeout(15):
        await office.move(purchase_id, Trigger.PAY)
        pieces: dict[str, str] = {}
        async for name, html in told:
            pieces[name] = html
            if {"figures", "feed", "chart", "health"} <= set(pieces) and "1 purchase" in text(
                pieces["figures"]
            ):
                break
    assert "1 purchase" in text(pieces["figures"])
    assert "paid" in text(pieces["feed"]).split("Anna Svensson")[1]
    assert "csrf" not in "".join(pieces.values())


async def test_viewers_share_the_reading(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    original = office.database.read

    async def counted(work: Any, *args: Any, **kwargs: Any) -> Any:
        reads.append(work.__name__)
        return await original(work, *args, **kwargs)

    visitors = [await office.signed_in() for _ in range(4)]
    pages = [await visitor.get("/") for visitor in visitors]
    purchase_id = await office.purchase("invoiced")

    async def hear(visitor: Visitor, page: str) -> None:
        async with _stream(visitor, page) as told:
            async for name, html in told:
                if name == "feed" and "stocked" in html:
                    return

    monkeypatch.setattr(office.database, "read", counted)
    async with asyncio.timeout(15):
        hearing = asyncio.gather(*(hear(*each) for each in zip(visitors, pages, strict=True)))
        for trigger in (Trigger.PAY, Trigger.STOCK):
            await office.move(purchase_id, trigger)
        await hearing
    assert 1 <= reads.count("read_board") <= 4
