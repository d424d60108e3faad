"""The live feed: nothing is missed, whoever commits first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from orchestrator.database import Database, DatabaseUnavailable
from orchestrator.feed import BACKLOG, OVERLAP, Feed
from orchestrator.identity import now
from orchestrator.tables import journal
from orchestrator.tail import Batch, FeedEvent, Tail
from tests.fixtures.dashboard import place
from tests.fixtures.shop import until

Batches = AsyncIterator[Batch | None]


def row(purchase_id: str, sequence: int, **more: Any) -> dict[str, Any]:
    texts = {"trigger": "step", "source": "paid", "target": "paid", "actor": "test", "detail": ""}
    return {"purchase_id": purchase_id, "sequence": sequence, "at": now(), **texts, **more}


def write(connection: Connection, *rows: dict[str, Any]) -> None:
    connection.execute(insert(journal), list(rows))


@pytest.fixture
async def feed(database: Database) -> AsyncIterator[Feed]:
    opened = Feed(database, pause=0.01)
    opened.start()
    yield opened
    await opened.stop()


async def take(batches: Batches, count: int) -> list[FeedEvent]:
    """So many events, or as many more as the last batch brings."""
    found: list[FeedEvent] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            batch = await anext(batches)
            assert batch is not None
            found += batch.events
    return found


async def test_everybody_hears_of_a_change(database: Database, feed: Feed) -> None:
    async with aclosing(feed.subscribe()) as one, aclosing(feed.subscribe()) as other:
        hearing = [asyncio.create_task(take(events, 2)) for events in (one, other)]
        await until(lambda: _listening(feed, 2))
        purchase_id = await database.write(place, "invoiced")
        heard = [await task for task in hearing]
    assert heard[0] == heard[1]
    first, second = heard[0]
    assert (first.purchase_id, first.source, first.state) == (purchase_id, None, "received")
    assert (second.sequence, second.source, second.state) == (2, "received", "invoiced")


async def _listening(feed: Feed, count: int) -> bool:
    return feed.listeners == count


async def test_who_comes_back_hears_what_he_missed(database: Database, feed: Feed) -> None:
    await database.write(place, "stocked")
    seen = await feed.position()
    purchase_id = await database.write(place, "paid")
    async with aclosing(feed.subscribe(seen)) as events:
        heard = await take(events, 7)
    missed = [event for event in heard if int(event.id) > int(seen)]
    assert [(event.purchase_id, event.state) for event in missed] == [
        (purchase_id, state) for state in ("received", "invoiced", "paid")
    ]


async def test_who_was_away_too_long_is_told_so(database: Database, feed: Feed) -> None:
    purchase_id = await database.write(place, "paid")
    await database.write(write, *(row(purchase_id, 10 + number) for number in range(BACKLOG + 2 * OVERLAP)))
    async with aclosing(feed.subscribe("0")) as events:
        assert await anext(events) is None


async def test_a_batch_without_events_says_that_nothing_has_come_any_more(
    database: Database, feed: Feed
) -> None:
    heard: list[Batch | None] = []
    async with aclosing(feed.subscribe()) as batches, asyncio.timeout(10):
        hearing = asyncio.ensure_future(anext(batches))
        await until(lambda: _listening(feed, 1))
        await database.write(place, "received")
        heard.append(await hearing)
        heard.append(await anext(batches))
    assert [len(batch.events) for batch in heard if batch is not None] == [1, 0]


async def test_those_who_come_together_are_told_together_what_they_missed(
    database: Database, feed: Feed
) -> None:
    await database.write(place, "stocked")
    seen = await feed.position()
    await database.write(place, "paid")
    begun = asyncio.gather(*(_first_batch(feed, after) for after in (seen, str(int(seen) + 1), seen)))
    async with asyncio.timeout(10):
        first, *others = await begun
    assert first is not None
    assert others == [first, first]


async def _first_batch(feed: Feed, after: str) -> Batch | None:
    async with aclosing(feed.subscribe(after)) as batches:
        return await anext(batches)


async def test_a_slow_listener_is_told_that_he_lost_events(database: Database, feed: Feed) -> None:
    purchase_id = await database.write(place, "paid")
    async with aclosing(feed.subscribe()) as slow, aclosing(feed.subscribe()) as quick:
        begun = asyncio.create_task(take(slow, 1))
        following = asyncio.create_task(take(quick, 1))
        await until(lambda: _listening(feed, 2))
        await database.write(write, row(purchase_id, 10))
        await begun
        await following
        for start in range(100, 120):
            await database.write(write, row(purchase_id, start))
            await take(quick, 1)
        assert await anext(slow) is None


@pytest.mark.parametrize("nonsense", ["x", "-1", "9" * 19, "٣", ""])
async def test_a_position_that_is_none_begins_now(database: Database, feed: Feed, nonsense: str) -> None:
    await database.write(place, "paid")
    async with aclosing(feed.subscribe(nonsense)) as events:
        hearing = asyncio.create_task(take(events, 1))
        await until(lambda: _listening(feed, 1))
        assert not hearing.done()
        purchase_id = await database.write(place, "received")
        (event,) = await hearing
    assert event.purchase_id == purchase_id


async def test_what_all_need_is_prepared_before_anybody_is_told(database: Database, feed: Feed) -> None:
    prepared: list[Batch] = []

    async def prepare(batch: Batch) -> None:
        await asyncio.sleep(0)
        prepared.append(batch)

    feed.prepare = prepare
    async with aclosing(feed.subscribe()) as one, aclosing(feed.subscribe()) as other:
        hearing = [asyncio.create_task(anext(batches)) for batches in (one, other)]
        await until(lambda: _listening(feed, 2))
        await database.write(place, "invoiced")
        heard = [await task for task in hearing]
    assert heard == [prepared[0], prepared[0]]


def test_a_batch_knows_the_newest_of_each_purchase() -> None:
    def event(number: int, purchase_id: str) -> FeedEvent:
        return FeedEvent(str(number), purchase_id, number, "pay", None, "paid", "test", "", now())

    batch = Batch([event(9, "a"), event(10, "b"), event(11, "a")])
    assert [(id_, newest.id) for id_, newest in batch.latest.items()] == [("b", "10"), ("a", "11")]
    assert batch.last == "11"


async def test_nobody_listens_nobody_reads(database: Database, feed: Feed) -> None:
    async with aclosing(feed.subscribe()) as events:
        hearing = asyncio.create_task(take(events, 1))
        await until(lambda: _listening(feed, 1))
        await database.write(place, "received")
        await hearing
    assert feed.listeners == 0


async def test_a_subscription_ends_with_its_life(database: Database, feed: Feed) -> None:
    over = asyncio.Event()

    async def life() -> None:
        await over.wait()

    async def listen() -> list[Batch | None]:
        return [batch async for batch in feed.subscribe(None, life)]

    listening = asyncio.create_task(listen())
    await until(lambda: _listening(feed, 1))
    over.set()
    async with asyncio.timeout(5):
        assert await listening == []
    assert feed.listeners == 0


async def test_stopping_ends_every_subscription(database: Database) -> None:
    feed = Feed(database, pause=0.01)
    feed.start()

    async def listen() -> list[Batch | None]:
        return [batch async for batch in feed.subscribe()]

    listening = asyncio.create_task(listen())
    await until(lambda: _listening(feed, 1))
    await feed.stop()
    async with asyncio.timeout(5):
        assert await listening == []


async def test_a_lower_id_that_is_committed_later_is_found(database: Database) -> None:
    """As on PostgreSQL, where ids are handed out before the commit."""
    purchase_id = await database.write(place, "paid")
    tail = await database.read(Tail.at_end)
    last = 3
    await database.write(write, row(purchase_id, 20, id=last + 3))
    assert [event.id for event in await database.read(tail.read)] == [str(last + 3)]
    await database.write(write, row(purchase_id, 19, id=last + 1))
    assert [event.id for event in await database.read(tail.read)] == [str(last + 1)]
    assert await database.read(tail.read) == []


async def test_an_id_under_way_when_listening_began_is_found(database: Database) -> None:
    purchase_id = await database.write(place, "received")
    await database.write(write, row(purchase_id, 20, id=5))
    tail = await database.read(Tail.at_end)
    await database.write(write, row(purchase_id, 19, id=4))
    assert [event.id for event in await database.read(tail.read)] == ["4"]


async def test_the_feed_goes_on_when_the_database_is_back(
    database: Database, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, failures = database.read, [DatabaseUnavailable("gone for a moment")]

    async def shaky(work: Callable[..., Any], *args: Any) -> Any:
        if work.__name__ == "read" and failures:
            raise failures.pop()
        return await original(work, *args)

    async with aclosing(feed.subscribe()) as events:
        monkeypatch.setattr(database, "read", shaky)
        hearing = asyncio.create_task(take(events, 1))
        await until(lambda: _listening(feed, 1))
        purchase_id = await database.write(place, "received")
        (event,) = await hearing
    assert event.purchase_id == purchase_id
    assert failures == []
