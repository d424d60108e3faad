"""The stream of a page: changed rows, arrivals, counts, and nothing missed after a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from orchestrator.database import DatabaseUnavailable
from orchestrator.feed import BACKLOG, OVERLAP
from statemachine import Trigger
from tests.fixtures.dashboard import Office, Visitor
from tests.fixtures.shop import until


@dataclass(frozen=True)
class Heard:
    """One event of the stream."""

    event: str
    data: str
    id: str


async def read(answer: aiohttp.ClientResponse) -> AsyncIterator[Heard]:
    fields: dict[str, list[str]] = {}
    async for line in answer.content:
        name, _, value = line.decode().rstrip("\r\n").partition(": ")
        if name:
            fields.setdefault(name, []).append(value)
        elif "event" in fields:
            yield Heard(fields["event"][0], "\n".join(fields.get("data", [])), fields.get("id", [""])[0])
            fields = {}


async def until_heard(stream: AsyncIterator[Heard], event: str) -> Heard:
    async with asyncio.timeout(10):
        async for heard in stream:
            if heard.event == event:
                return heard
    raise AssertionError(f"the stream ended without {event}")


@asynccontextmanager
async def listening(visitor: Visitor, address: str, last: str = "") -> AsyncIterator[AsyncIterator[Heard]]:
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
    async with visitor.http.get(f"{visitor.base_url}{address}", headers=headers) as answer:
        assert answer.content_type == "text/event-stream"
        yield read(answer)


async def _somebody_listens(office: Office) -> None:
    async def there() -> bool:
        return office.feed.listeners > 0

    await until(there)


async def test_a_changed_row_comes_drawn_and_the_counts_follow(office: Office) -> None:
    purchase_id = await office.purchase("invoiced", customer_name="<b>Åsa</b>")
    visitor = await office.signed_in("vera")
    position = await office.feed.position()
    async with listening(visitor, f"/events?page=purchases&after={position}&arrivals=1") as stream:
        await _somebody_listens(office)
        await office.move(purchase_id, Trigger.PAY)
        row = await until_heard(stream, f"p-{purchase_id}")
        while 'data-revision="3"' not in row.data:
            row = await until_heard(stream, f"p-{purchase_id}")
        assert row.data.startswith("<tr ")
        assert "&lt;b&gt;Åsa&lt;/b&gt;" in row.data
        assert (await until_heard(stream, "n-paid")).data == "1"


async def test_arrivals_are_those_of_the_list(office: Office) -> None:
    visitor = await office.signed_in()
    position = await office.feed.position()
    async with listening(visitor, f"/events?page=purchases&after={position}&state=paid&arrivals=1") as stream:
        await _somebody_listens(office)
        await office.purchase("failed")
        paid = await office.purchase("paid")
        assert (await until_heard(stream, "arrival")).data == paid


async def test_who_lost_the_connection_misses_nothing(office: Office) -> None:
    visitor = await office.signed_in()
    first = await office.purchase("paid")
    async with listening(visitor, "/events?page=purchases&after=0") as stream:
        last = (await until_heard(stream, f"p-{first}")).id
    missed = await office.purchase("stocked")
    async with listening(visitor, "/events?page=purchases&after=0", last=last) as stream:
        heard = await until_heard(stream, f"p-{missed}")
    assert int(heard.id) > int(last)


async def test_a_purchase_hears_only_of_itself_and_only_of_news(office: Office) -> None:
    purchase_id, other = await office.purchase("invoiced"), await office.purchase("invoiced")
    visitor = await office.signed_in()
    async with listening(visitor, f"/events?page=purchase&after=0&id={purchase_id}&revision=2") as stream:
        await _somebody_listens(office)
        await office.move(other, Trigger.PAY)
        await office.move(purchase_id, Trigger.PAY)
        heard = await until_heard(stream, "purchase")
    assert int(heard.id) == int(await office.feed.position())


async def test_who_was_away_too_long_is_told_to_load_again(office: Office) -> None:
    visitor = await office.signed_in()
    for _ in range((BACKLOG + 2 * OVERLAP) // 4 + 1):
        await office.purchase("stocked")
    for address in ("/events?page=purchases&after=0", "/events?page=purchase&after=0&id=x"):
        async with listening(visitor, address) as stream:
            await until_heard(stream, "stale")


async def test_a_stream_ends_when_the_database_does_not_answer(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = await office.signed_in()
    original = office.database.read

    async def broken(work: Callable[..., Any], *args: Any) -> Any:
        if work.__name__ == "read_changed":
            raise DatabaseUnavailable
        return await original(work, *args)

    async with listening(visitor, "/events?page=purchases&after=0") as stream:
        await _somebody_listens(office)
        monkeypatch.setattr(office.database, "read", broken)
        await office.purchase("paid")
        async with asyncio.timeout(10):
            assert [heard async for heard in stream] == []


async def test_any_number_of_viewers_reads_a_change_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = await office.signed_in()
    purchase_id = await office.purchase("invoiced")
    position = await office.feed.position()
    reads: list[str] = []
    caught_up = 0
    original = office.database.read

    async def counted(work: Callable[..., Any], *args: Any) -> Any:
        reads.append(work.__name__)
        return await original(work, *args)

    async def follow() -> None:
        nonlocal caught_up
        async with listening(visitor, f"/events?page=purchases&after={position}") as stream:
            await until_heard(stream, f"p-{purchase_id}")
            caught_up += 1
            heard = await until_heard(stream, f"p-{purchase_id}")
            while 'data-revision="3"' not in heard.data:
                heard = await until_heard(stream, f"p-{purchase_id}")

    monkeypatch.setattr(office.database, "read", counted)
    viewers = [asyncio.create_task(follow()) for _ in range(20)]

    async def all_there() -> bool:
        return caught_up == len(viewers)

    await until(all_there)
    reads.clear()
    await office.move(purchase_id, Trigger.PAY)
    await asyncio.gather(*viewers)
    its_rows, counts_before_and_after = 1, 2
    assert 1 <= reads.count("read_changed") <= its_rows + counts_before_and_after
