"""Who may come in, and what each may do."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, delete, update

from orchestrator import users
from orchestrator.database import Database, DatabaseUnavailable
from orchestrator.tables import users as people
from tests.fixtures.dashboard import PASSWORD, Office, at_office

PAGES = ["/", "/purchases", "/purchases/x", "/purchases/x/qr.svg", "/purchases/x/exchanges/y", "/products"]
MORE = ["/products/mug", "/mails", "/mails/x", "/mails/x/html"]


@pytest.mark.parametrize("path", PAGES + MORE)
async def test_nobody_sees_a_page_without_signing_in(sqlite_office: Office, path: str) -> None:
    visitor = sqlite_office.visitor()
    page = await visitor.get(path)
    assert "Sign in" in page
    async with visitor.http.get(sqlite_office.base_url + path, headers={"HX-Request": "true"}) as answer:
        assert (answer.status, answer.headers["HX-Redirect"]) == (401, "/login")


async def test_nobody_hears_the_stream_without_signing_in(sqlite_office: Office) -> None:
    await sqlite_office.visitor().get("/events", 401, headers={"Accept": "text/event-stream"})


async def test_signing_in_leads_on_and_signing_out_ends_it(office: Office) -> None:
    visitor = office.visitor()
    assert 'value="/products/mug"' in await visitor.get("/products/mug")
    assert "<h1>Mug</h1>" in await visitor.sign_in("vera", next_="/products/mug")
    assert "<h1>Purchases</h1>" in await visitor.get("/login")
    assert "Sign in" in await visitor.send("/logout", form_at="/purchases")
    assert "Sign in" in await visitor.get("/purchases")


async def test_a_sign_in_never_leads_to_another_site(sqlite_office: Office) -> None:
    visitor = sqlite_office.visitor()
    assert "<h1>Purchases</h1>" in await visitor.sign_in("vera", next_="//evil.example/")


@pytest.mark.parametrize(
    ("name", "password"), [("vera", "wrong"), ("nobody", PASSWORD), ("", ""), ("ve\x00ra", PASSWORD + "x")]
)
async def test_a_wrong_name_or_password_says_so(office: Office, name: str, password: str) -> None:
    visitor = office.visitor()
    page = await visitor.sign_in(name, password, status=401)
    assert "No user has that name and password" in page
    assert password not in page or not password
    assert "Sign in" in await visitor.get("/purchases")


async def test_a_form_needs_our_token(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("ada")
    purchase_id = await sqlite_office.purchase("invoiced")
    for path in ("/login", "/logout", f"/purchases/{purchase_id}/check", "/products/mug/stock"):
        for data in ({}, {"csrf": "guessed"}, {"csrf": "é"}):
            async with visitor.http.post(sqlite_office.base_url + path, data=data) as answer:
                assert answer.status == 403, path
    assert sqlite_office.settlement.recorded == []


async def test_a_form_that_is_far_too_large_is_not_read(sqlite_office: Office) -> None:
    visitor = sqlite_office.visitor()
    form = {"name": "ada", "password": "x" * 100_000}
    async with visitor.http.post(f"{sqlite_office.base_url}/login", data=form) as answer:
        assert answer.status == 400


async def test_a_viewer_looks_but_does_nothing(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("invoiced")
    visitor = await sqlite_office.signed_in("vera")
    here = f"/purchases/{purchase_id}"
    assert "Check now" not in await visitor.get(here)
    assert "Receive stock" not in await visitor.get("/products/mug")
    for path in (f"{here}/check", "/products/mug/stock"):
        page = await visitor.send(path, 403, form_at=here, change="1", reason="x")
        assert "As viewer you may look, but not do this." in page
    assert sqlite_office.settlement.recorded == []


def _new_password(connection: Connection) -> None:
    users.set_password(connection, "vera", "another password")


def _gone(connection: Connection) -> None:
    connection.execute(delete(people).where(people.c.name == "vera"))


@pytest.mark.parametrize("change", [_new_password, _gone])
async def test_a_session_ends_with_its_user(sqlite_office: Office, change: object) -> None:
    visitor = await sqlite_office.signed_in("vera")
    assert callable(change)
    await sqlite_office.database.write(change)
    assert "Sign in" in await visitor.get("/purchases")


async def test_a_role_is_what_it_is_now(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("olle")
    await sqlite_office.database.write(
        lambda connection: connection.execute(update(people).values(role="viewer")).rowcount
    )
    await visitor.send("/products/mug/stock", 403, form_at="/purchases", change="1", reason="x")


async def test_cookies_are_closed(sqlite_only: Database) -> None:
    async with (
        at_office(sqlite_only, public_url="https://shop.example") as office,
        office.visitor().http.get(f"{office.base_url}/login") as answer,
    ):
        cookie = answer.headers["Set-Cookie"].lower()
    assert all(mark in cookie for mark in ("httponly", "samesite=lax", "secure", "max-age=43200"))


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
