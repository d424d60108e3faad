"""Sessions: how long they last, and what ends them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from dashboard.queries.people import find_person
from orchestrator import session
from orchestrator.database import Database
from orchestrator.session import IDLE, LIFETIME, NOTED_EVERY, Origin
from orchestrator.tables import sessions
from tests.fixtures.people import AT, HOME, user

SECOND = timedelta(seconds=1)


async def test_only_the_hash_of_a_key_is_kept(database: Database) -> None:
    anna = await user(database)
    key = await database.write(session.begin, anna.id, HOME, AT)

    def everything(connection: Connection) -> str:
        return str(connection.execute(select(sessions)).all())

    assert key not in await database.read(everything)
    found = await database.read(find_person, key, AT)
    assert found is not None
    assert found.user == anna
    assert await database.read(find_person, key + "x", AT) is None
    assert await database.read(find_person, "", AT) is None


async def test_it_ends_when_nothing_is_done_with_it(database: Database) -> None:
    anna = await user(database)
    key = await database.write(session.begin, anna.id, HOME, AT)
    assert await database.read(find_person, key, AT + IDLE - SECOND) is not None
    assert await database.read(find_person, key, AT + IDLE) is None
    assert await database.read(session.of_user, anna.id, AT + IDLE) == []


async def test_use_keeps_it_but_not_for_ever(database: Database) -> None:
    anna = await user(database)
    key, at = await database.write(session.begin, anna.id, HOME, AT), AT
    while at < AT + LIFETIME - IDLE:
        at += IDLE - SECOND
        found = await database.read(find_person, key, at)
        assert found is not None
        await database.write(session.note_use, found.session.id, "192.0.2.9", at)
    (one,) = await database.read(session.of_user, anna.id, at)
    assert (one.seen_at, one.address) == (at, "192.0.2.9")
    await database.write(session.note_use, one.id, "192.0.2.9", AT + LIFETIME - SECOND)
    assert await database.read(find_person, key, AT + LIFETIME - SECOND) is not None
    assert await database.read(find_person, key, AT + LIFETIME) is None


async def test_its_use_is_news_only_now_and_then(database: Database) -> None:
    anna = await user(database)
    await database.write(session.begin, anna.id, HOME, AT)
    (one,) = await database.read(session.of_user, anna.id, AT)
    assert not one.use_is_news(AT + NOTED_EVERY - SECOND)
    assert one.use_is_news(AT + NOTED_EVERY)


async def test_a_user_ends_own_sessions_only(database: Database) -> None:
    anna, berta = await user(database), await user(database, "berta")
    for one in (anna, anna, anna, berta):
        await database.write(session.begin, one.id, HOME, AT)
    (theirs,) = await database.read(session.of_user, berta.id, AT)
    own, other, _ = await database.read(session.of_user, anna.id, AT)
    assert not await database.write(session.end, theirs.id, anna.id)
    assert await database.write(session.end, other.id, anna.id)
    assert not await database.write(session.end, other.id, anna.id)
    assert await database.write(session.end_all, anna.id, besides=own.id) == 1
    assert await database.read(session.of_user, anna.id, AT) == [own]
    assert await database.read(session.of_user, berta.id, AT) == [theirs]


@pytest.mark.parametrize("over", [IDLE, LIFETIME])
async def test_those_that_have_ended_are_pruned(database: Database, over: timedelta) -> None:
    anna = await user(database)
    await database.write(session.begin, anna.id, HOME, AT)
    key = await database.write(session.begin, anna.id, HOME, AT + over - SECOND)
    assert await database.write(session.prune, AT + over) == 1
    assert await database.write(session.prune, AT + over) == 0
    assert await database.read(find_person, key, AT + over) is not None


async def test_a_browser_that_tells_a_long_story_is_cut_short(database: Database) -> None:
    anna = await user(database)
    await database.write(session.begin, anna.id, Origin("a" * 500, "b" * 500), AT)
    (one,) = await database.read(session.of_user, anna.id, AT)
    assert (len(one.address), len(one.browser)) == (64, 200)
