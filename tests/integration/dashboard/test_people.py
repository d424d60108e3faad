"""The pages about people: the own page, users, API tokens."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Connection, select, update

from orchestrator import api_token, lockout, users
from orchestrator.identity import now
from orchestrator.stamp import Stamp
from orchestrator.tables import audit
from orchestrator.tables import users as kept
from orchestrator.users import Role
from tests.fixtures.dashboard import PASSWORD, Office, Visitor


def deeds(connection: Connection) -> list[tuple[str, str, str, str]]:
    """What the audit log has, oldest first, but for sign-ins."""
    columns = (audit.c.actor, audit.c.action, audit.c.subject, audit.c.detail)
    statement = select(*columns).where(audit.c.action != "user.sign_in").order_by(audit.c.id)
    return [tuple(row) for row in connection.execute(statement)]


async def is_signed_in(visitor: Visitor) -> bool:
    return "Sign out" in await visitor.get("/me")


async def test_the_language_takes_effect_at_once_and_is_kept(office: Office) -> None:
    visitor = await office.signed_in("vera")
    assert '<html lang="sv"' in await visitor.send("/me/language", form_at="/me", language="sv")
    again = await office.signed_in("vera")
    assert '<html lang="sv"' in await again.get("/me")
    assert '<html lang="en"' in await again.send("/me/language", form_at="/me", language="")
    assert '<html lang="sv"' in await again.get("/me", headers={"Accept-Language": "sv-FI, en;q=0.5"})


async def test_a_new_password_of_ones_own_needs_the_old_one(office: Office) -> None:
    visitor, elsewhere = await office.signed_in("vera"), await office.signed_in("vera")
    new = "battery staple"

    async def change(status: int, old: str, first: str, second: str) -> str:
        return await visitor.send("/me/password", status, form_at="/me", old=old, new=first, again=second)

    assert "The old password is another." in await change(422, "wrong", new, new)
    assert "not the same twice" in await change(422, PASSWORD, new, new + "x")
    assert "too short" in await change(422, PASSWORD, "short", "short")
    assert await is_signed_in(elsewhere)
    assert "You have a new password." in await change(200, PASSWORD, new, new)
    assert "Sign in" in await elsewhere.get("/me")
    await office.visitor().sign_in("vera", status=401)
    await office.visitor().sign_in("vera", new)
    assert ("operator:vera", "user.password", "vera", "") in await office.database.read(deeds)


async def test_the_old_password_cannot_be_guessed(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("vera")
    fields = {"old": "wrong", "new": "battery staple", "again": "battery staple"}
    for _ in range(lockout.MOST_OF_NAME_AND_ADDRESS):
        await visitor.send("/me/password", 422, form_at="/me", **fields)
    page = await visitor.send("/me/password", 422, form_at="/me", **{**fields, "old": PASSWORD})
    assert "Too many sign-ins went wrong" in page


async def test_ones_own_sessions_are_shown_and_ended(office: Office) -> None:
    one, two, three = [await office.signed_in("vera") for _ in range(3)]
    olle = await office.signed_in("olle")
    page = await one.get("/me")
    ends = re.findall(r'action="(/me/sessions/[^"/]+/end)"', page)
    assert (len(ends), page.count("this one"), page.count("127.0.0.1")) == (2, 1, 3)
    assert "That browser is signed out." in await one.send(ends[0], form_at="/me")
    assert [await is_signed_in(visitor) for visitor in (two, three)].count(True) == 1
    await olle.send(ends[1], form_at="/me")
    assert [await is_signed_in(visitor) for visitor in (two, three)].count(True) == 1
    assert "1 other browser was signed out." in await one.send("/me/sessions/end", form_at="/me")
    assert [await is_signed_in(visitor) for visitor in (one, two, three, olle)] == [True, False, False, True]
    assert [deed[1] for deed in await office.database.read(deeds)] == ["session.end", "session.end"]


async def test_an_admin_adds_a_user_with_a_password_that_is_shown_once(office: Office) -> None:
    ada = await office.signed_in("ada")
    page = await ada.send("/system/users", form_at="/system/users", name="anna", role="viewer")
    found = re.search(r'<code id="secret">([^<]+)</code>', page)
    assert found is not None
    assert f'data-copy="{found[1]}"' in page
    assert found[1] not in await ada.get("/system/users/anna")
    assert await is_signed_in_with(office, "anna", found[1])
    assert ("operator:ada", "user.add", "anna", "viewer") in await office.database.read(deeds)


async def is_signed_in_with(office: Office, name: str, password: str) -> bool:
    visitor = office.visitor()
    await visitor.sign_in(name, password)
    return await is_signed_in(visitor)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "olle", "role": "viewer"}, "There is a user with that name already."),
        ({"name": "a b", "role": "viewer"}, "That is no name for a user"),
        ({"name": "anna", "role": "king"}, "Choose a role."),
        ({"name": "anna", "role": "viewer", "password": "short"}, "too short"),
    ],
)
async def test_a_user_that_cannot_be_says_why(
    sqlite_office: Office, fields: dict[str, str], words: str
) -> None:
    ada = await sqlite_office.signed_in("ada")
    page = await ada.send("/system/users", 422, form_at="/system/users", **fields)
    assert words in page
    assert f'value="{fields["name"]}"' in page
    assert "short" not in re.sub("too short", "", page)


async def test_an_admin_changes_roles_passwords_and_removes(office: Office) -> None:
    ada, olle = await office.signed_in("ada"), await office.signed_in("olle")
    here = "/system/users/olle"
    page = await ada.send(f"{here}/role", form_at=here, role="viewer", seen="operator")
    assert "olle is viewer now." in page
    assert "Sign in" in await olle.get("/me")
    assert "olle has a new password." in await ada.send(
        f"{here}/password", form_at=here, password="battery staple"
    )
    assert await is_signed_in_with(office, "olle", "battery staple")
    page = await ada.send(f"{here}/password", form_at=here)
    found = re.search(r'<code id="secret">([^<]+)</code>', page)
    assert found is not None
    assert await is_signed_in_with(office, "olle", found[1])
    assert "too short" in await ada.send(f"{here}/password", 422, form_at=here, password="short")
    page = await ada.send(f"{here}/remove", form_at=here, seen="viewer")
    assert "olle is removed and signed out everywhere." in page
    for path in ("role", "password", "remove"):
        await ada.send(f"{here}/{path}", 404, form_at="/system/users", role="viewer", seen="viewer")
    await ada.get(here, 404)


async def test_what_another_admin_changed_is_not_overwritten(office: Office) -> None:
    ada, here = await office.signed_in("ada"), "/system/users/olle"
    await office.database.write(users.set_role, "olle", Role.VIEWER, Stamp("cli", now()))
    for path in ("role", "remove"):
        page = await ada.send(f"{here}/{path}", 409, form_at=here, role="admin", seen="operator")
        assert "Somebody else has made olle viewer meanwhile" in page
        assert 'name="seen" value="viewer"' in page
    found = await office.database.read(users.find, "olle")
    assert found is not None
    assert found.role is Role.VIEWER


async def test_the_last_admin_stays_and_own_passwords_are_changed_elsewhere(sqlite_office: Office) -> None:
    ada, here = await sqlite_office.signed_in("ada"), "/system/users/ada"
    for path in ("role", "remove"):
        page = await ada.send(f"{here}/{path}", 409, form_at=here, role="viewer", seen="admin")
        assert "This is the last admin" in page
    page = await ada.send(f"{here}/password", 422, form_at=here, password="battery staple")
    assert "Change your own password on your own page" in page
    assert "Choose a role." in await ada.send(f"{here}/role", 422, form_at=here, role="king", seen="admin")


async def test_a_role_is_what_it_is_now(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in("olle")

    def lower(connection: Connection) -> None:
        connection.execute(update(kept).values(role="viewer"))

    await sqlite_office.database.write(lower)
    await visitor.send("/products/mug/stock", 403, form_at="/me", change="1", reason="x")


async def test_a_token_is_shown_once_works_and_is_revoked(office: Office) -> None:
    ada = await office.signed_in("ada")
    page = await ada.send("/system/tokens", form_at="/system/tokens", name="Till 3")
    found = re.search(r'data-copy="(seqr_[^"]+)"', page)
    assert found is not None
    listed = await ada.get("/system/tokens")
    assert "Till 3" in listed
    assert found[1] not in listed
    known = await office.database.read(api_token.recognise, found[1])
    assert known is not None
    assert "never" in listed
    again = await ada.send("/system/tokens", 422, form_at="/system/tokens", name="Till 3")
    assert "There is an API token with that name already." in again
    for name in ("", "x" * 65):
        await ada.send("/system/tokens", 422, form_at="/system/tokens", name=name)
    revoke = f"/system/tokens/{known.id}/revoke"
    assert "Till 3 is let in no more." in await ada.send(revoke, form_at="/system/tokens")
    assert await office.database.read(api_token.recognise, found[1]) is None
    assert "1 revoked token" in await ada.get("/system/tokens")
    await ada.send("/system/tokens/none/revoke", 404, form_at="/system/tokens")
    assert [deed for deed in await office.database.read(deeds) if deed[1].startswith("token.")] == [
        ("operator:ada", "token.make", "Till 3", ""),
        ("operator:ada", "token.revoke", "Till 3", ""),
    ]
