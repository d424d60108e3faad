"""The whole program, every address of it: what each answer carries, and that nothing sent to it breaks it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from itsdangerous import TimestampSigner
from pydantic import SecretStr
from sqlalchemy import Connection, insert
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from fuzz.http_call import HttpCall, call
from fuzz.listening import listening
from orchestrator import session
from orchestrator.app import build_app
from orchestrator.database import Database
from orchestrator.demo import Demo
from orchestrator.identity import new_id, now
from orchestrator.session import Origin
from orchestrator.tables import exchanges, users
from tests.fixtures.dashboard import place
from tests.fixtures.operations import API_TOKEN, SECRET, parts_on, settings
from tests.fixtures.shop import stocked

PUBLIC = "https://shop.example"
STRANGER = ("192.0.2.7", 4711)
HOSTILE = (
    "'", '"', "' OR '1'='1", "'; DROP TABLE purchases; --", "%", "_", "\\", "%00", "\0",
    "\r\nSet-Cookie: a=b",
    "../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "file:///etc/passwd", "<script>alert(1)</script>",
    "{{7*7}}", "${7*7}", "\ud7ff\uffff\u202e", "١٢٣", "-1", "0", "1e999", "NaN", "Infinity",
    "9" * 40, "9223372036854775808", "0001-01-01", "9999-12-31T23:59:59-23:59", "2026-13-45", "x" * 3000,
    "//evil.example", "https://evil.example/", "/\\evil.example", "[]", "{}", "null", "=1+1", " ", "Ǻ",
)  # fmt: skip
NAMES = (
    "after", "arrivals", "attention", "before", "bundle", "cursor", "dir", "down", "from", "high", "id",
    "kind",
    "language", "limit", "low", "max", "min", "next", "older", "order", "page", "q", "reason", "revision",
    "scale", "selection", "show", "shown", "since", "sort", "state", "t", "to", "until", "w", "window",
)  # fmt: skip
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_PROJECT = "[build-system]"
"""How a file of ours begins that nobody shall read."""


@dataclass(frozen=True)
class World:
    """A client of the whole program, signed in as an admin, and its addresses."""

    app: ASGIApp
    http: httpx2.AsyncClient
    paths: list[tuple[str, str]]
    """Method and path, with parameters in braces."""
    known: dict[str, str]

    def filled(self, path: str, value: str | None = None) -> str:
        """The path with its parameters filled in: by what is there, or all by one value."""
        return _PARAMETER.sub(lambda found: value or self.known.get(found[1], "1"), path)


def _paths(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, Mount):
            yield from _paths(list(route.routes or []), prefix + route.path)
        elif isinstance(route, Route):
            for method in sorted(route.methods or ()):
                yield method, prefix + route.path


def _write_user(connection: Connection) -> str:
    id_ = new_id()
    row = {"id": id_, "name": "ada", "role": "admin", "created_at": now(), "password_hash": "none"}
    connection.execute(insert(users).values(row))
    return session.begin(connection, id_, Origin(), now())


def _write_exchange(connection: Connection, purchase_id: str) -> str:
    call: dict[str, Any] = {"id": new_id(), "purchase_id": purchase_id, "operation": "getPaymentStatus"}
    outcome = {"verdict": "answered", "result_code": 0, "detail": "ISSUED", "duration_ms": 12.5}
    texts = {"request": "<request/>", "response": "<answer/>", "started_at": now()}
    connection.execute(insert(exchanges).values({**call, **outcome, **texts}))
    return str(call["id"])


async def _broken(_: Request) -> Response:
    raise RuntimeError("nobody foresaw this")


@pytest.fixture
async def world(sqlite_only: Database) -> AsyncIterator[World]:
    """Everything that there is, with something in it."""
    await sqlite_only.write(stocked)
    purchase_id = await sqlite_only.write(place, "invoiced")
    exchange = await sqlite_only.write(_write_exchange, purchase_id)
    key = await sqlite_only.write(_write_user)
    changes = {"public_url": PUBLIC, "seqr_principal_id": "shop", "api_per_minute": 0}
    parts = parts_on(sqlite_only, **changes, seqr_password=SecretStr("12345678"))
    app = build_app(parts, Demo(parts))
    paths = sorted(set(_paths(app.routes)))
    app.router.routes.insert(0, Route("/broken", _broken))
    signed = TimestampSigner(SECRET).sign(base64.b64encode(json.dumps({"key": key}).encode())).decode()
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=STRANGER)
    headers = {"Authorization": f"Bearer {API_TOKEN}", "Cookie": f"orchestrator_session={signed}"}
    known = {
        "id": purchase_id,
        "purchase_id": purchase_id,
        "exchange": exchange,
        "token": "mug",
        "name": "ada",
    }
    async with httpx2.AsyncClient(transport=transport, base_url=PUBLIC, headers=headers) as http:
        yield World(app, http, paths, known)
    await parts.seqr.close()


def _ends(path: str) -> bool:
    """Whether its answer does: a live stream goes on. Nor is this program ready: no scheduler runs."""
    return "stream" not in path and "events" not in path and path != "/readyz"


async def test_every_answer_carries_what_keeps_it_safe(world: World) -> None:
    asked = [(method, world.filled(path)) for method, path in world.paths if _ends(path)]
    asked += [
        ("GET", path) for path in ("/broken", "/nowhere", "/api/nowhere", "/seqr/nowhere", "/static/no")
    ]
    assert len(asked) > 80
    found = set()
    for method, path in asked:
        bare = {"Authorization": "", "Cookie": ""} if method not in ("GET", "HEAD") else {}
        answer = await world.http.request(method, path, headers=bare)
        headers = answer.headers
        where = f"{method} {path} {answer.status_code}"
        found.add(answer.status_code)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy or "default-src 'none'" in policy, where
        assert "unsafe-eval" not in policy, where
        assert "frame-ancestors 'none'" in policy or "frame-ancestors 'self'" in policy, where
        assert headers["X-Content-Type-Options"] == "nosniff", where
        assert headers["Referrer-Policy"] in ("same-origin", "no-referrer"), where
        assert headers["Strict-Transport-Security"].startswith("max-age="), where
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", where
        public = path.startswith("/qr/") or path.endswith("seqrQRCode.js")
        wanted = "cross-origin" if public else "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == wanted, where
        if not public and "/static/" not in path and "/pictures/" not in path:
            assert "no-store" in headers["Cache-Control"], where
        assert "nobody foresaw" not in answer.text, where
    assert {200, 303, 404, 500} <= found


async def test_cookies_are_for_us_alone(world: World) -> None:
    answer = await world.http.get("/login?language=sv", headers={"Cookie": ""})
    ((name, cookie),) = SimpleCookie(answer.headers["Set-Cookie"]).items()
    assert name == "orchestrator_session"
    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["samesite"] == "lax"
    assert not cookie["domain"]


def _mixed(turn: int) -> dict[str, str]:
    """Each parameter with another string; in each turn another one."""
    return {name: HOSTILE[(turn + number) % len(HOSTILE)] for number, name in enumerate(NAMES)}


async def test_no_string_in_a_query_breaks_anything(world: World) -> None:
    pages = [world.filled(path) for method, path in world.paths if method == "GET" and _ends(path)]
    for path in pages:
        for turn in range(0, len(HOSTILE), 4):
            answer = await world.http.get(path, params=_mixed(turn))
            assert answer.status_code < 500, (path, turn, answer.text[:500])
            assert "evil.example" not in answer.headers.get("Location", ""), (path, turn)
            assert not answer.headers.get("Set-Cookie", "").startswith("a=b"), (path, turn)


@pytest.mark.parametrize("path", ["/purchases", "/mails", "/audit", "/api/v1/purchases"])
async def test_no_single_parameter_breaks_a_list(world: World, path: str) -> None:
    for turn, name in enumerate(NAMES):
        for number in range(5):
            hostile = HOSTILE[(turn * 5 + number) % len(HOSTILE)]
            answer = await world.http.get(path, params={name: hostile})
            assert answer.status_code < 500, (name, hostile, answer.text[:500])


async def test_no_string_in_a_path_breaks_anything(world: World) -> None:
    patterns = [path for method, path in world.paths if method == "GET" and "{" in path and _ends(path)]
    for path in patterns:
        for hostile in HOSTILE:
            answer = await world.http.get(world.filled(path, quote(hostile, safe="")))
            assert answer.status_code < 500, (path, hostile, answer.text[:500])
            assert _PROJECT not in answer.text


@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_who_leaves_in_the_middle_of_a_request_is_no_error_of_ours(world: World, kind: str) -> None:
    sent = {name.lower().encode(): value.encode() for name, value in world.http.headers.items()}
    sent |= {b"host": b"shop.example", b"content-type": kind.encode(), b"content-length": b"99"}
    cut = HttpCall(tuple(sent.items()), b"{", leaves=True)
    bodies = [path for path in world.paths if path[0] in ("POST", "PUT")]
    asked = [(method, world.filled(path)) for method, path in bodies if not path.startswith("/sandbox/")]
    assert len(asked) > 30
    with listening(settings()) as listener:
        for method, path in asked:
            result = await call(world.app, path, cut, method)
            assert 200 <= result.status < 500, (method, path, result.status)
            listener.check()


@pytest.mark.parametrize(
    "path",
    [
        "/static/dashboard/../app.py",
        "/static/dashboard/..%2fapp.py",
        "/static/dashboard/%2e%2e/%2e%2e/pyproject.toml",
        "/static/dashboard/....//app.py",
        "/static/dashboard//etc/passwd",
        "/static/dashboard/%5c..%5capp.py",
        "/static/dashboard/%00",
        "/sandbox/static/..%2fapp.py",
        "/sandbox/static/%2e%2e/app.py",
    ],
)
async def test_no_path_leads_out_of_the_static_files(world: World, path: str) -> None:
    answer = await world.http.get(path)
    assert answer.status_code in (400, 404), answer.text[:200]


@pytest.mark.parametrize(
    "path", ["/login/", "/purchases/", "/shop", "/sandbox", "/api/v1/purchases/", "/me/"]
)
async def test_the_host_header_is_in_no_answer(world: World, path: str) -> None:
    for headers in ({"Host": "evil.example"}, {"Host": "shop.example", "X-Forwarded-Host": "evil.example"}):
        answer = await world.http.get(path, headers=headers)
        assert "evil.example" not in answer.headers.get("Location", "")
        assert "evil.example" not in answer.text
        assert "//" not in answer.headers.get("Location", "")


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "/%0d%0aX:1", "\\/evil"]
)
async def test_the_sign_in_leads_nowhere_else(world: World, target: str) -> None:
    answer = await world.http.get("/login", params={"next": target})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/")
    assert not answer.headers["Location"].startswith(("//", "/\\"))


async def test_who_asks_too_often_is_told_so(sqlite_only: Database) -> None:
    parts = parts_on(
        sqlite_only, api_per_minute=2, create_purchase_per_minute=1, trusted_proxies="192.0.2.0/24"
    )
    transport = httpx2.ASGITransport(app=build_app(parts), raise_app_exceptions=False, client=STRANGER)
    async with httpx2.AsyncClient(transport=transport, base_url=PUBLIC) as http:

        async def asked(method: str, path: str, address: str) -> int:
            return (await http.request(method, path, headers={"X-Forwarded-For": address})).status_code

        assert [await asked("GET", "/api/v1/products", "198.51.100.1") for _ in range(3)] == [401, 401, 429]
        assert await asked("GET", "/api/v1/products", "198.51.100.2") == 401
        orders = [await http.post("/seqr/createPurchase") for _ in range(2)]
        assert [answer.status_code for answer in orders] == [415, 429]
        assert orders[1].json()["errorCode"] == "TOO_MANY_REQUESTS"
        assert int(orders[1].headers["Retry-After"]) > 0
    await parts.seqr.close()


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS", "TRACE", "QUERY", "FETCH"])
@pytest.mark.parametrize(
    ("path", "allow", "code"),
    [
        ("/seqr/createPurchase", "POST", "errorCode"),
        ("/seqr/notification/key", "POST", "errorCode"),
        ("/api/v1/purchases", "GET, HEAD", "error"),
        ("/api/v1/products/mug", "GET, HEAD, PUT", "error"),
        ("/api/v1/products/mug/stock", "POST", "error"),
        ("/api/v1/openapi.json", "GET, HEAD", "error"),
        ("/healthz", "GET, HEAD", "error"),
        ("/metrics", "GET, HEAD", "error"),
    ],
)
async def test_a_method_that_an_address_does_not_take_is_told_which_it_takes(
    world: World, method: str, path: str, allow: str, code: str
) -> None:
    answer = await world.http.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == allow
    assert answer.json() == {
        code: "METHOD_NOT_ALLOWED" if code == "errorCode" else "method_not_allowed",
        "message": f"This address takes {allow}.",
    }


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "TRACE"])
@pytest.mark.parametrize(("path", "code"), [("/seqr/nothing", "errorCode"), ("/api/v1/nothing", "error")])
async def test_an_address_of_nothing_is_told_to_programs_in_json(
    world: World, method: str, path: str, code: str
) -> None:
    answer = await world.http.request(method, path)
    assert answer.status_code == 404
    assert answer.json()[code].lower() == "not_found"
