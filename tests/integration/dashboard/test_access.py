"""Who may come in, and what each may do: all routes, all roles, all forms."""

from __future__ import annotations

import re

import pytest
from starlette.routing import Mount, Route

from dashboard.guard import Guarded
from orchestrator.database import Database, DatabaseUnavailable
from orchestrator.users import Role
from tests.fixtures.dashboard import Office, Visitor, at_office

ROLES = {"vera": Role.VIEWER, "olle": Role.OPERATOR, "ada": Role.ADMIN}

OPEN = {("GET", "/login"), ("POST", "/login")}
"""What needs nobody to be signed in, beside the static files."""

EVERYBODYS = {"/logout", "/me/language", "/me/password", "/me/sessions/end", "/me/sessions/{id}/end"}
"""Forms that change only what is the visitor's own."""

ADMINS = ("/system/users", "/system/tokens", "/system/settings", "/system/customers")


def routes_of(office: Office) -> list[Route]:
    """The dashboard's routes but for the static files."""
    pages = next(route for route in office.app.routes if isinstance(route, Mount) and route.path == "")
    assert all(isinstance(route, Route) for route in pages.routes)
    return [route for route in pages.routes if isinstance(route, Route)]


def guarded(office: Office, method: str) -> list[Guarded]:
    assert {route.path for route in routes_of(office)} >= {"/purchases", "/me", "/audit", "/system/users"}
    return [
        route
        for route in routes_of(office)
        if isinstance(route, Guarded) and route.methods is not None and method in route.methods
    ]


def address(route: Route) -> str:
    """The route's path with something in the place of its parameters."""
    return re.sub(r"\{[^}]+\}", "x", route.path)


async def status_of(visitor: Visitor, method: str, path: str, **options: object) -> int:
    """How a page or form is answered; a stream is not read."""
    call = visitor.http.request(method, visitor.base_url + path, allow_redirects=False, **options)  # type: ignore[arg-type]
    async with call as answer:
        return answer.status


async def token_of(visitor: Visitor) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', await visitor.get("/me"))
    assert found is not None
    return found[1]


async def test_every_route_but_the_sign_in_is_guarded(sqlite_office: Office) -> None:
    unguarded = [route for route in routes_of(sqlite_office) if not isinstance(route, Guarded)]
    ways = {(method, route.path) for route in unguarded for method in route.methods or () if method != "HEAD"}
    assert ways == OPEN


async def test_forms_need_a_role_that_acts_unless_they_are_the_visitors_own(sqlite_office: Office) -> None:
    looking = {route.path for route in guarded(sqlite_office, "POST") if route.needs is Role.VIEWER}
    assert looking == EVERYBODYS


async def test_what_is_the_admins_needs_an_admin(sqlite_office: Office) -> None:
    everything = guarded(sqlite_office, "GET") + guarded(sqlite_office, "POST")
    found = {route.path: route.needs for route in everything if route.path.startswith(ADMINS)}
    assert len(found) > 5
    assert set(found.values()) == {Role.ADMIN}


async def test_nobody_sees_a_page_without_signing_in(sqlite_office: Office) -> None:
    visitor = sqlite_office.visitor()
    for route in guarded(sqlite_office, "GET"):
        path = address(route)
        async with visitor.http.get(visitor.base_url + path, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"].partition("?")[0]) == (303, "/login"), path
        async with visitor.http.get(visitor.base_url + path, headers={"HX-Request": "true"}) as answer:
            assert (answer.status, answer.headers["HX-Redirect"]) == (401, "/login"), path
        assert await status_of(visitor, "GET", path, headers={"Accept": "text/event-stream"}) == 401, path


async def test_nobody_sends_a_form_without_signing_in(sqlite_office: Office) -> None:
    visitor = sqlite_office.visitor()
    for route in guarded(sqlite_office, "POST"):
        async with visitor.http.post(visitor.base_url + address(route), allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/login"), route.path
        async with visitor.http.post(
            visitor.base_url + address(route), headers={"HX-Request": "true"}
        ) as answer:
            assert (answer.status, answer.headers["HX-Redirect"]) == (401, "/login"), route.path


@pytest.mark.parametrize("name", ROLES)
async def test_a_page_is_shown_to_those_whose_role_allows_it(sqlite_office: Office, name: str) -> None:
    visitor = await sqlite_office.signed_in(name)
    for route in guarded(sqlite_office, "GET"):
        refused = await status_of(visitor, "GET", address(route)) == 403
        assert refused is not ROLES[name].covers(route.needs), route.path


@pytest.mark.parametrize("name", ["vera", "olle"])
async def test_a_form_is_refused_to_those_whose_role_does_not_allow_it(
    sqlite_office: Office, name: str
) -> None:
    visitor = await sqlite_office.signed_in(name)
    data = {"csrf": await token_of(visitor)}
    forms = [route for route in guarded(sqlite_office, "POST") if not ROLES[name].covers(route.needs)]
    assert forms
    for route in forms:
        assert await status_of(visitor, "POST", address(route), data=data) == 403, route.path
    assert sqlite_office.settlement.recorded == []


async def test_a_form_needs_our_token(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("ada")
    other = await token_of(await sqlite_office.signed_in("ada"))
    paths = ["/login", *(address(route) for route in guarded(sqlite_office, "POST"))]
    for path in paths:
        for data in ({}, {"csrf": "guessed"}, {"csrf": "é"}, {"csrf": other}):
            assert await status_of(visitor, "POST", path, data=data) == 403, path
    assert sqlite_office.settlement.recorded == []
    assert "ada" in await visitor.get("/me")


async def test_a_viewer_is_shown_no_form_that_acts(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    visitor = await sqlite_office.signed_in("vera")
    for path in (f"/purchases/{purchase_id}", "/products/mug", "/me"):
        page = await visitor.get(path)
        actions = set(re.findall(r'<form[^>]* action="([^"]+)"', page)) - {
            "/logout",
            "/purchases",
            "/products",
        }
        assert not any(action.startswith(("/purchases", "/products", "/system")) for action in actions), path


async def test_who_may_only_look_is_told_so(sqlite_office: Office) -> None:
    for name, is_told in (("vera", True), ("olle", False), ("ada", False)):
        page = await (await sqlite_office.signed_in(name)).get("/products/mug")
        assert ("You may look only." in page) is is_told
    refused = await (await sqlite_office.signed_in("vera")).get("/audit", 403)
    assert "Only operators and admins may see this." in refused


async def test_a_form_that_is_far_too_large_is_not_read(sqlite_office: Office) -> None:
    visitor = sqlite_office.visitor()
    form = {"name": "ada", "password": "x" * 100_000}
    async with visitor.http.post(f"{sqlite_office.base_url}/login", data=form) as answer:
        assert answer.status == 400


@pytest.mark.parametrize("name", ["csrf", "password"])
async def test_a_form_with_what_is_no_text_is_refused(sqlite_office: Office, name: str) -> None:
    """A sender may say how its form is encoded, and so send half a character."""
    visitor = sqlite_office.visitor()
    found = re.search(r'name="csrf" value="([^"]+)"', await visitor.get("/login"))
    assert found is not None
    fields = {"csrf": found[1], "name": "ada", "password": "x", name: r"\ud800"}
    part = '--b\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    body = "".join(part.format(*field) for field in fields.items()) + "--b--\r\n"
    sort = {"Content-Type": "multipart/form-data; boundary=b; charset=unicode_escape"}
    assert await status_of(visitor, "POST", "/login", data=body, headers=sort) == 400


@pytest.mark.parametrize(
    "path", ["/nowhere", "/purchases/none", "/products/none", "/static/dashboard/none.css"]
)
async def test_what_is_not_there_says_so(sqlite_office: Office, path: str) -> None:
    visitor = await sqlite_office.signed_in()
    assert "Traceback" not in await visitor.get(path, 404)


async def test_a_wrong_method_says_so(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    async with visitor.http.delete(f"{sqlite_office.base_url}/purchases") as answer:
        assert answer.status == 405
        assert "This address takes no request of that kind." in await answer.text()


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (DatabaseUnavailable("the password is hunter2"), 503, "The database does not answer"),
        (RuntimeError("the password is hunter2"), 500, "This is our mistake"),
    ],
)
async def test_failures_are_told_in_words_without_secrets(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, words: str
) -> None:
    visitor = await sqlite_office.signed_in()

    async def broken(*_: object) -> object:
        raise error

    monkeypatch.setattr(sqlite_office.database, "read", broken)
    page = await visitor.get("/purchases", status)
    assert words in page
    assert "hunter2" not in page
    assert "Traceback" not in page


async def test_cookies_are_closed(sqlite_only: Database) -> None:
    async with (
        at_office(sqlite_only, public_url="https://shop.example") as office,
        office.visitor().http.get(f"{office.base_url}/login") as answer,
    ):
        cookie = answer.headers["Set-Cookie"].lower()
    assert all(mark in cookie for mark in ("httponly", "samesite=lax", "secure", "max-age=604800"))
