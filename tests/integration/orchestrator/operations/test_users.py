"""The users of the dashboard: making, changing and removing them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, select

from orchestrator import session, users
from orchestrator.bulk import RunState, Seen
from orchestrator.database import Database, open_database
from orchestrator.stamp import Stamp
from orchestrator.tables import audit, sessions
from orchestrator.tables import users as kept
from orchestrator.users import (
    LastAdmin,
    Role,
    RoleChanged,
    UserError,
    UserExists,
    UserUnknown,
    checked_name,
)
from tests.fixtures import bulk as bulk_runs
from tests.fixtures.dashboard import place
from tests.fixtures.people import AT, HOME, PASSWORD, by_cli, hash_of, user

ADA = Stamp("operator:ada", AT)


def signed_in(connection: Connection) -> list[str]:
    """The names of those who are signed in, once for each session."""
    join = select(kept.c.name).join(sessions, sessions.c.user_id == kept.c.id).order_by(kept.c.name)
    return list(connection.execute(join).scalars())


def deeds(connection: Connection) -> list[tuple[str, str, str, str, str]]:
    """What the audit log has, oldest first, but for the making of users."""
    columns = (audit.c.actor, audit.c.action, audit.c.subject, audit.c.detail, audit.c.address)
    statement = select(*columns).where(audit.c.action != "user.add").order_by(audit.c.id)
    return [tuple(row) for row in connection.execute(statement)]


def lowered(connection: Connection, name: str, stamp: Stamp) -> None:
    users.set_role(connection, name, Role.VIEWER, stamp)


async def test_a_name_is_given_once(database: Database) -> None:
    await user(database)
    with pytest.raises(UserExists, match="A user anna exists already"):
        await user(database, "Anna")
    with pytest.raises(UserExists, match="anna"):
        await user(database)
    assert len(await database.read(users.list_users)) == 1


async def test_twins_of_one_name_make_one_user(database: Database) -> None:
    outcomes = await asyncio.gather(user(database), user(database, "Anna"), return_exceptions=True)
    assert [isinstance(outcome, UserExists) for outcome in outcomes].count(True) == 1
    assert len(await database.read(users.list_users)) == 1


@pytest.mark.parametrize("name", ["", "a b", "-anna", "x" * 65, "anna\n", "a/b", "<b>"])
def test_a_bad_name_is_refused_before_anything_is_asked(name: str) -> None:
    with pytest.raises(UserError, match="is no name"):
        checked_name(name)


async def test_users_are_listed_by_name_and_found_by_it(database: Database) -> None:
    berta = await user(database, "berta", Role.VIEWER)
    anna = await user(database, "anna", Role.ADMIN)
    assert await database.read(users.list_users) == [anna, berta]
    assert await database.read(users.find, "berta") == berta
    assert await database.read(users.find, "nobody") is None


async def test_a_new_password_ends_the_other_sessions(database: Database) -> None:
    anna, berta = await user(database), await user(database, "berta")
    for one in (anna, anna, berta):
        await database.write(session.begin, one.id, HOME, AT)
    (own, _) = await database.read(session.of_user, anna.id, AT)
    await database.write(
        users.set_password, "anna", hash_of("battery staple"), ADA, "192.0.2.1", keep_session=own.id
    )
    assert [one.id for one in await database.read(session.of_user, anna.id, AT)] == [own.id]
    assert await database.read(signed_in) == ["anna", "berta"]
    assert await database.read(deeds) == [("operator:ada", "user.password", "anna", "", "192.0.2.1")]
    await database.write(users.set_password, "anna", hash_of(), ADA)
    assert await database.read(signed_in) == ["berta"]
    with pytest.raises(UserUnknown, match="no user nobody"):
        await database.write(users.set_password, "nobody", hash_of(), ADA)


async def test_a_new_role_ends_all_sessions(database: Database) -> None:
    anna = await user(database)
    await database.write(session.begin, anna.id, HOME, AT)
    assert not await database.write(users.set_role, "anna", Role.OPERATOR, ADA)
    assert await database.read(signed_in) == ["anna"]
    assert await database.write(users.set_role, "anna", Role.VIEWER, ADA, seen=Role.OPERATOR)
    assert await database.read(signed_in) == []
    found = await database.read(users.find, "anna")
    assert found is not None
    assert found.role is Role.VIEWER
    assert await database.read(deeds) == [("operator:ada", "user.role", "anna", "operator → viewer", "")]


async def test_what_somebody_else_changed_meanwhile_is_told_and_kept(database: Database) -> None:
    await user(database)
    await database.write(users.set_role, "anna", Role.VIEWER, by_cli())
    with pytest.raises(RoleChanged, match="made anna viewer") as caught:
        await database.write(users.set_role, "anna", Role.ADMIN, ADA, seen=Role.OPERATOR)
    assert caught.value.role is Role.VIEWER
    with pytest.raises(RoleChanged):
        await database.write(users.remove, "anna", ADA, seen=Role.OPERATOR)
    found = await database.read(users.find, "anna")
    assert found is not None
    assert found.role is Role.VIEWER


async def test_a_removed_user_is_signed_out_and_stays_in_the_records(database: Database) -> None:
    anna = await user(database)
    await database.write(session.begin, anna.id, HOME, AT)
    await database.write(users.remove, "anna", ADA, seen=Role.OPERATOR)
    assert await database.read(users.list_users) == []
    assert await database.read(signed_in) == []
    assert await database.read(deeds) == [("operator:ada", "user.remove", "anna", "operator", "")]
    with pytest.raises(UserUnknown):
        await database.write(users.remove, "anna", ADA)


@pytest.mark.parametrize("change", [users.remove, lowered])
async def test_who_may_act_no_more_has_no_run_that_goes_on(
    database: Database, change: Callable[[Connection, str, Stamp], None]
) -> None:
    await user(database, "olle")
    chosen = [Seen(await database.write(place, "received"), 1)]
    mine = await bulk_runs.begin(database, chosen)
    other = await bulk_runs.begin(database, chosen, actor="operator:ada")
    await database.write(change, "olle", ADA)
    assert (await bulk_runs.run_of(database, mine))["state"] == RunState.STOPPED
    assert (await bulk_runs.run_of(database, other))["state"] == RunState.RUNNING
    assert ("operator:ada", "bulk.stop", mine, "1 left", "") in await database.read(deeds)


async def test_who_may_still_act_has_runs_that_go_on(database: Database) -> None:
    await user(database, "olle")
    run_id = await bulk_runs.begin(database, [Seen(await database.write(place, "received"), 1)])
    await database.write(users.set_role, "olle", Role.ADMIN, ADA)
    assert (await bulk_runs.run_of(database, run_id))["state"] == RunState.RUNNING


async def test_the_last_admin_stays(database: Database) -> None:
    await user(database, "ada", Role.ADMIN)
    await user(database)
    for work in (users.remove, lowered):
        with pytest.raises(LastAdmin):
            await database.write(work, "ada", by_cli())
    await database.write(users.set_role, "anna", Role.ADMIN, by_cli())
    await database.write(users.remove, "ada", by_cli())
    assert [one.name for one in await database.read(users.list_users)] == ["anna"]


async def test_two_admins_who_lower_each_other_at_once_leave_one(
    database: Database, database_url: str
) -> None:
    await user(database, "ada", Role.ADMIN)
    await user(database, "bea", Role.ADMIN)
    other = open_database(database_url)
    for _ in range(5):
        outcomes = await asyncio.gather(
            database.write(users.set_role, "ada", Role.VIEWER, by_cli()),
            other.write(users.set_role, "bea", Role.VIEWER, by_cli()),
            return_exceptions=True,
        )
        assert [isinstance(outcome, LastAdmin) for outcome in outcomes].count(True) == 1
        assert [one.role for one in await database.read(users.list_users)].count(Role.ADMIN) == 1
        for name in ("ada", "bea"):
            await database.write(users.set_role, name, Role.ADMIN, by_cli())
    await other.close()


async def test_a_language_is_kept_and_taken_back(database: Database) -> None:
    anna = await user(database)
    for language in ("sv", None):
        await database.write(users.set_language, anna.id, language)
        found = await database.read(users.find, "anna")
        assert found is not None
        assert found.language == language


def test_each_role_may_do_what_those_before_it_may() -> None:
    assert [[mine.covers(needed) for needed in Role] for mine in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


async def test_the_first_admin_is_made_once_and_keeps_the_password(database: Database) -> None:
    stamp = Stamp("settings", AT)
    assert await users.ensure_admin(database, PASSWORD, stamp)
    assert not await users.ensure_admin(database, "another password", stamp)
    admin = await database.read(users.find, "admin")
    assert admin is not None
    assert admin.role is Role.ADMIN


async def test_the_first_admin_who_was_removed_does_not_come_back(database: Database) -> None:
    stamp = Stamp("settings", AT)
    await users.ensure_admin(database, PASSWORD, stamp)
    await user(database, "ada", Role.ADMIN)
    await database.write(users.remove, "admin", ADA)
    assert not await users.ensure_admin(database, PASSWORD, stamp)
    assert await database.read(users.find, "admin") is None


async def test_where_nobody_is_an_admin_one_is_made(database: Database) -> None:
    await user(database, "vera", Role.VIEWER)
    assert await users.ensure_admin(database, PASSWORD, Stamp("settings", AT))


async def test_processes_that_start_at_once_make_one_admin(database: Database, database_url: str) -> None:
    other = open_database(database_url)
    made = await asyncio.gather(
        *(users.ensure_admin(each, PASSWORD, Stamp("settings", AT)) for each in (database, other))
    )
    assert sorted(made) == [False, True]
    await other.close()
