"""Users of the dashboard and their passwords."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, select, update

from orchestrator.database import Database
from orchestrator.identity import now
from orchestrator.tables import users as kept
from orchestrator.users import (
    Candidate,
    Role,
    User,
    UserError,
    UserExists,
    UserUnknown,
    add,
    candidate,
    checked_name,
    checked_password,
    ensure_admin,
    find,
    list_users,
    recognise,
    rehash,
    set_password,
    set_role,
    verify,
)

PASSWORD = "correct horse"


async def make(database: Database, name: str = "anna", role: Role = Role.OPERATOR) -> User:
    return await database.write(add, name, PASSWORD, role, now())


async def test_a_user_is_recognised_by_the_password_only(database: Database) -> None:
    user = await make(database)
    assert await database.read(verify, "anna", PASSWORD) == user
    assert await database.read(verify, "anna", PASSWORD + " ") is None
    assert await database.read(verify, "anna", "") is None
    assert await database.read(verify, "nobody", PASSWORD) is None
    assert await database.read(verify, "nobody", "a password that nobody has") is None


async def test_for_a_name_that_nobody_has_a_password_is_hashed_all_the_same(database: Database) -> None:
    await make(database)
    somebody = await database.read(candidate, "anna")
    nobody = await database.read(candidate, "nobody")
    assert nobody.user is None
    # The parameters before the salt decide how long it takes.
    assert nobody.password_hash.rsplit("$", 2)[0] == somebody.password_hash.rsplit("$", 2)[0]


async def test_the_password_is_kept_as_argon2id_only(database: Database) -> None:
    await make(database)

    def password_hash(connection: Connection) -> str:
        return str(connection.execute(select(kept.c.password_hash)).scalar_one())

    found = await database.read(password_hash)
    assert found.startswith("$argon2id$")
    assert PASSWORD not in found


async def test_a_new_password_replaces_the_old_one(database: Database) -> None:
    user = await make(database)
    await database.write(set_password, "anna", "battery staple")
    assert await database.read(verify, "anna", PASSWORD) is None
    assert await database.read(verify, "anna", "battery staple") == user
    with pytest.raises(UserUnknown, match="users add berta"):
        await database.write(set_password, "berta", PASSWORD)


async def test_a_name_is_given_once(database: Database) -> None:
    await make(database)
    with pytest.raises(UserExists, match="anna"):
        await make(database)
    assert len(await database.read(list_users)) == 1


async def test_twins_of_one_name_make_one_user(database: Database) -> None:
    outcomes = await asyncio.gather(make(database), make(database), return_exceptions=True)
    assert [isinstance(outcome, UserExists) for outcome in outcomes].count(True) == 1
    assert len(await database.read(list_users)) == 1


@pytest.mark.parametrize("name", ["", "a b", "-anna", "x" * 65, "anna\n", "a/b", "<b>"])
def test_a_bad_name_is_refused_before_anything_is_asked(name: str) -> None:
    with pytest.raises(UserError, match="is no name"):
        checked_name(name)


@pytest.mark.parametrize("password", ["", "1234567", "x" * 1025])
def test_a_bad_password_is_refused_without_being_shown(password: str) -> None:
    with pytest.raises(UserError) as caught:
        checked_password(password)
    assert not password or password not in caught.value.message


async def test_users_are_listed_by_name_and_found_by_id(database: Database) -> None:
    berta = await make(database, "berta", Role.VIEWER)
    anna = await make(database, "anna", Role.ADMIN)
    assert await database.read(list_users) == [anna, berta]
    assert await database.read(find, berta.id) == berta
    assert await database.read(find, "no-such-id") is None


async def test_a_role_can_change(database: Database) -> None:
    user = await make(database)
    await database.write(set_role, "anna", Role.ADMIN)
    found = await database.read(find, user.id)
    assert found is not None
    assert found.role is Role.ADMIN
    with pytest.raises(UserUnknown):
        await database.write(set_role, "berta", Role.ADMIN)


def test_each_role_may_do_what_those_before_it_may() -> None:
    assert [[mine.covers(needed) for needed in Role] for mine in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


async def test_an_old_hash_is_made_anew_once_the_password_is_known(database: Database) -> None:
    await make(database)
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)

    def weaken(connection: Connection) -> None:
        connection.execute(update(kept).values(password_hash=weak))

    await database.write(weaken)
    found = await database.read(candidate, "anna")
    assert recognise(found, PASSWORD) is not None
    assert await database.write(rehash, found, PASSWORD)
    assert not await database.write(rehash, found, PASSWORD)
    renewed = await database.read(candidate, "anna")
    assert renewed.password_hash != weak
    assert recognise(renewed, PASSWORD) is not None
    assert not await database.write(rehash, renewed, PASSWORD)


def test_a_broken_hash_lets_nobody_in() -> None:
    assert recognise(Candidate(None, "no hash at all"), PASSWORD) is None


async def test_the_first_admin_is_made_once_and_keeps_the_password(database: Database) -> None:
    assert await database.write(ensure_admin, PASSWORD, now())
    assert not await database.write(ensure_admin, "another password", now())
    admin = await database.read(verify, "admin", PASSWORD)
    assert admin is not None
    assert admin.role is Role.ADMIN
