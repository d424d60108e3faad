"""Signing in and out, and how long a session lasts."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select, update

from orchestrator import lockout, session, users
from orchestrator.database import Database
from orchestrator.identity import now
from orchestrator.stamp import Stamp
from orchestrator.tables import sessions
from tests.fixtures.dashboard import PASSWORD, Office, Visitor
from tests.fixtures.people import recorded

WRONG = "No user has that name and password"


def cookie_of(visitor: Visitor) -> str:
    return next(cookie.value for cookie in visitor.http.cookie_jar)


async def is_signed_in(visitor: Visitor) -> bool:
    return "Sign out" in await visitor.get("/me")


async def as_if_later(database: Database, by: timedelta) -> None:
    """Everybody signed in, and was seen, so much earlier."""

    def shift(connection: Connection) -> None:
        for row in connection.execute(select(sessions)).all():
            moved = {name: getattr(row, name) - by for name in ("created_at", "seen_at", "ends_at")}
            connection.execute(update(sessions).where(sessions.c.id == row.id).values(moved))

    await database.write(shift)


async def test_signing_in_leads_on_and_signing_out_ends_it_here(office: Office) -> None:
    visitor = office.visitor()
    assert 'value="/products/mug"' in await visitor.get("/products/mug")
    assert "<h1>Mug</h1>" in await visitor.sign_in("vera", next_="/products/mug")
    stolen = {"Cookie": f"orchestrator_session={cookie_of(visitor)}"}
    thief = office.visitor()
    assert "<h1>Mug</h1>" in await thief.get("/products/mug", headers=stolen)
    assert "Sign in" in await visitor.send("/logout", form_at="/products/mug")
    assert "Sign in" in await visitor.get("/purchases")
    assert "Sign in" in await thief.get("/products/mug", headers=stolen)
    assert ("operator:vera", "user.sign_out", "vera") in await office.database.read(recorded)


async def test_a_sign_in_never_leads_to_another_site(sqlite_office: Office) -> None:
    visitor = sqlite_office.visitor()
    async with visitor.http.post(
        f"{sqlite_office.base_url}/login",
        data={
            "csrf": await _csrf(visitor, "/login"),
            "name": "vera",
            "password": PASSWORD,
            "next": "//evil.example",
        },
        allow_redirects=False,
    ) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")


async def _csrf(visitor: Visitor, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', await visitor.get(path))
    assert found is not None
    return found[1]


async def test_key_and_form_token_are_new_after_the_sign_in(sqlite_office: Office) -> None:
    visitor = sqlite_office.visitor()
    before = await _csrf(visitor, "/login")
    await visitor.sign_in("vera")
    assert await _csrf(visitor, "/me") != before
    async with visitor.http.post(f"{visitor.base_url}/logout", data={"csrf": before}) as answer:
        assert answer.status == 403


@pytest.mark.parametrize(
    ("name", "password"), [("vera", "wrong"), ("nobody", PASSWORD), ("", ""), ("ve\x00ra", PASSWORD + "x")]
)
async def test_a_wrong_name_or_password_says_so(office: Office, name: str, password: str) -> None:
    visitor = office.visitor()
    page = await visitor.sign_in(name, password, status=401)
    assert WRONG in page
    assert password not in page or not password
    assert "Sign in" in await visitor.get("/purchases")


@pytest.mark.parametrize("name", ["vera", "nobody"])
async def test_who_guesses_is_told_how_long_to_wait_and_not_whether_the_name_is_right(
    sqlite_office: Office, name: str
) -> None:
    visitor = sqlite_office.visitor()
    for _ in range(lockout.MOST_OF_NAME_AND_ADDRESS):
        assert WRONG in await visitor.sign_in(name, "wrong", status=401)
    page = await visitor.sign_in(name, PASSWORD, status=429)
    assert "Too many sign-ins went wrong. Try again in 15 minutes." in page
    assert WRONG not in page


async def test_sessions_end_by_themselves(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("vera")
    await as_if_later(sqlite_office.database, session.IDLE - timedelta(minutes=1))
    assert await is_signed_in(visitor)
    await as_if_later(sqlite_office.database, session.IDLE - timedelta(minutes=1))
    assert await is_signed_in(visitor)
    await as_if_later(sqlite_office.database, session.IDLE)
    assert "Sign in" in await visitor.get("/me")


async def test_a_live_stream_does_not_keep_a_session_alive(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("vera")
    await as_if_later(sqlite_office.database, timedelta(hours=1))

    def seen(connection: Connection) -> timedelta:
        at: datetime = connection.execute(select(sessions.c.seen_at)).scalar_one()
        return now() - at

    stream = f"{visitor.base_url}/events?page=purchases"
    async with visitor.http.get(stream, headers={"Accept": "text/event-stream"}) as answer:
        assert answer.status in (200, 404)
    assert await sqlite_office.database.read(seen) > timedelta(minutes=59)
    await visitor.get("/me")
    assert await sqlite_office.database.read(seen) < timedelta(minutes=1)


async def test_a_live_stream_ends_with_its_session(office: Office) -> None:
    visitor = await office.signed_in("vera")
    page = await visitor.get("/purchases")
    found = re.search(r'sse-connect="([^"]+)"', page)
    assert found is not None
    async with visitor.http.get(visitor.base_url + found[1].replace("&amp;", "&")) as stream:
        await office.purchase("paid")
        async with asyncio.timeout(10):
            while not (await stream.content.readline()).startswith(b"data"):
                pass
        await office.database.write(users.remove, "vera", Stamp("cli", now()))
        rest = asyncio.ensure_future(stream.content.read())
        async with asyncio.timeout(20):
            while not rest.done():
                await office.purchase("paid")
                await asyncio.wait({rest}, timeout=0.5)


async def test_the_sign_in_speaks_another_language_when_asked(sqlite_office: Office) -> None:
    visitor = sqlite_office.visitor()
    assert 'href="/login?language=sv&amp;next=%2Fmails"' in await visitor.get("/login?next=/mails")
    assert '<html lang="sv"' in await visitor.get("/login?language=sv&next=/mails")
    assert '<html lang="sv"' in await visitor.sign_in("vera")
    assert '<html lang="sv"' in await visitor.get("/me")
    assert '<html lang="sv"' in await visitor.get("/login?language=xx")
