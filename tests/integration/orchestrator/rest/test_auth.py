"""Who may call the API: tokens from the settings and tokens from the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx2
import pytest
from sqlalchemy import Connection, update
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from orchestrator import api_token
from orchestrator.database import Database
from orchestrator.identity import now
from orchestrator.parts import Parts
from orchestrator.rest.auth import guarded
from orchestrator.stamp import Stamp
from orchestrator.tables import api_tokens
from tests.fixtures.operations import API_TOKEN, NoDatabase, calling, parts_on


def stamp() -> Stamp:
    return Stamp("operator:ada", now())


async def who(parts: Parts, request: Request, actor: str) -> Response:
    return PlainTextResponse(actor)


def routes(parts: Parts) -> list[Route]:
    return [Route("/api/v1/who", guarded(parts, who))]


@pytest.fixture
async def http(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    async with calling(routes(parts_on(database))) as client:
        yield client


async def asking(http: httpx2.AsyncClient, authorization: str) -> httpx2.Response:
    return await http.get("/api/v1/who", headers={"Authorization": authorization})


async def kept(database: Database) -> api_token.ApiToken:
    (found,) = await database.read(api_token.list_tokens)
    return found


async def test_the_token_of_the_settings_is_let_in(http: httpx2.AsyncClient) -> None:
    assert (await asking(http, f"Bearer {API_TOKEN}")).text == "api:settings"


async def test_a_token_of_the_database_is_let_in_by_its_name(
    database: Database, http: httpx2.AsyncClient
) -> None:
    token = await database.write(api_token.make, "till", stamp())
    assert (await asking(http, f"bearer {token}")).text == "api:till"


NO_TOKENS = ["", "Bearer", "Bearer ", "Basic YTpi", f"Token {API_TOKEN}", API_TOKEN]
WRONG_TOKENS = [f"Bearer {API_TOKEN}x", "Bearer a b", "Bearer *"]


async def test_anything_else_is_told_to_bring_a_token(http: httpx2.AsyncClient) -> None:
    for authorization in (*NO_TOKENS, *WRONG_TOKENS):
        answer = await asking(http, authorization)
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
        challenge = 'Bearer realm="orchestrator"'
        if authorization in WRONG_TOKENS:
            challenge += ', error="invalid_token"'
        assert answer.headers["WWW-Authenticate"] == challenge


async def test_a_wrong_token_of_any_letters_is_refused(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/api/v1/who", headers=[(b"Authorization", "Bearer åäö\x7f".encode())])
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


async def test_a_revoked_token_is_out(database: Database, http: httpx2.AsyncClient) -> None:
    token = await database.write(api_token.make, "till", stamp())
    await database.write(api_token.revoke, (await kept(database)).id, stamp())
    assert (await asking(http, f"Bearer {token}")).status_code == 401


async def test_the_use_of_a_token_is_noted_at_most_once_a_minute(
    database: Database, http: httpx2.AsyncClient
) -> None:
    token = await database.write(api_token.make, "till", stamp())
    assert (await kept(database)).last_used_at is None
    await asking(http, f"Bearer {token}")
    first = (await kept(database)).last_used_at
    assert first is not None
    await asking(http, f"Bearer {token}")
    assert (await kept(database)).last_used_at == first
    await database.write(used_at, first - timedelta(seconds=61))
    await asking(http, f"Bearer {token}")
    latest = (await kept(database)).last_used_at
    assert latest is not None
    assert latest >= first


def used_at(connection: Connection, at: datetime) -> None:
    connection.execute(update(api_tokens).values(last_used_at=at))


async def test_only_the_hash_is_kept(database: Database) -> None:
    token = await database.write(api_token.make, "till", stamp())
    assert len(token) > 30

    def everything(connection: Connection) -> str:
        return str(connection.execute(api_tokens.select()).all())

    assert token not in await database.read(everything)


async def test_revoking_twice_changes_nothing_and_an_unknown_one_is_named(database: Database) -> None:
    await database.write(api_token.make, "till", stamp())
    token = await kept(database)
    first = now()
    await database.write(api_token.revoke, token.id, Stamp("operator:ada", first))
    await database.write(api_token.revoke, token.id, Stamp("operator:ada", first + timedelta(hours=1)))
    assert (await kept(database)).revoked_at == first
    with pytest.raises(api_token.TokenUnknown, match="no-such-id"):
        await database.write(api_token.revoke, "no-such-id", stamp())


async def test_a_name_is_free_again_once_its_token_is_revoked(database: Database) -> None:
    for name in ("till", "settings"):
        if name == "till":
            await database.write(api_token.make, name, stamp())
        with pytest.raises(api_token.TokenNameTaken):
            await database.write(api_token.make, name, stamp())
    assert await database.write(api_token.revoke, (await kept(database)).id, stamp()) == "till"
    await database.write(api_token.make, "till", stamp())
    assert len(await database.read(api_token.list_tokens)) == 2


async def test_without_the_database_only_the_settings_token_works() -> None:
    async with calling(routes(parts_on(NoDatabase()))) as http:
        assert (await asking(http, f"Bearer {API_TOKEN}")).status_code == 200
        answer = await asking(http, "Bearer another")
    assert (answer.status_code, answer.json()["error"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "5"


async def test_without_a_token_in_the_settings_none_is_let_in_by_them(database: Database) -> None:
    async with calling(routes(parts_on(database, api_token=None))) as http:
        assert (await asking(http, "Bearer None")).status_code == 401
