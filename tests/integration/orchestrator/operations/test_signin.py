"""Signing in: passwords, the lock-out, and what the audit log says of both."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, select, update

from orchestrator import lockout, password, session, signin, users
from orchestrator.database import Database, open_database
from orchestrator.lockout import LockedOut
from orchestrator.password import PasswordHash
from orchestrator.session import Origin
from orchestrator.signin import SignInRefused
from orchestrator.tables import audit, sign_in_failures
from orchestrator.tables import users as kept
from tests.fixtures.people import AT, HOME, PASSWORD, by_cli, hash_of, user

WRONG = "wrong"


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are compared at once, for tests that guess much."""

    async def fits(found: PasswordHash | None, secret: str) -> bool:
        await asyncio.sleep(0)
        return found is not None and secret == PASSWORD

    monkeypatch.setattr(password, "fits", fits)


def deeds(connection: Connection) -> list[tuple[str, str, str]]:
    columns = (audit.c.actor, audit.c.action, audit.c.subject)
    statement = select(*columns).where(audit.c.action != "user.add").order_by(audit.c.id)
    return [tuple(row) for row in connection.execute(statement)]


def failures(connection: Connection) -> list[tuple[str, str]]:
    c = sign_in_failures.c
    return [tuple(row) for row in connection.execute(select(c.name, c.address).order_by(c.id))]


async def outcome(
    database: Database,
    name: str = "anna",
    secret: str = WRONG,
    *,
    address: str = HOME.address,
    at: datetime = AT,
) -> str:
    """How a sign-in ends: ``in``, ``refused``, or for how many minutes it is locked out."""
    try:
        await signin.enter(database, name, secret, Origin(address, ""), at)
    except SignInRefused:
        return "refused"
    except LockedOut as error:
        return str(error.minutes)
    return "in"


async def guess(database: Database, times: int, name: str = "anna", address: str = HOME.address) -> None:
    for number in range(times):
        assert await outcome(database, name, address=address) == "refused", number


async def test_the_right_password_begins_a_session(database: Database) -> None:
    anna = await user(database)
    entered, key = await signin.enter(database, "anna", PASSWORD, HOME, AT)
    assert entered == anna
    (begun,) = await database.read(session.of_user, anna.id, AT)
    assert (begun.address, begun.browser, begun.created_at) == (HOME.address, HOME.browser, AT)
    assert len(key) >= 32
    assert await database.read(failures) == []
    assert await database.read(deeds) == [("operator:anna", "user.sign_in", "anna")]


@pytest.mark.parametrize(
    ("name", "secret"),
    [("anna", PASSWORD + " "), ("anna", ""), ("anna", PASSWORD.upper()), ("nobody", PASSWORD), ("", "")],
)
async def test_anything_else_is_refused(database: Database, name: str, secret: str) -> None:
    await user(database)
    assert await outcome(database, name, secret) == "refused"
    assert await outcome(database, "nobody", "a password that nobody has") == "refused"


async def test_a_refusal_is_recorded_but_no_name_that_nobody_has(database: Database) -> None:
    await user(database)
    await outcome(database, "anna")
    await outcome(database, "my secret password")
    assert await database.read(deeds) == [
        ("operator:anna", "user.refused", "anna"),
        ("", "user.refused", ""),
    ]


@pytest.mark.usefixtures("quick_hashes")
async def test_five_failures_of_a_name_at_an_address_lock_it_out_there(database: Database) -> None:
    await user(database)
    await guess(database, 5)
    assert await outcome(database, secret=PASSWORD) == "15"
    assert await outcome(database, secret=PASSWORD, at=AT + timedelta(minutes=14, seconds=1)) == "1"
    assert await outcome(database, secret=PASSWORD, address="192.0.2.8") == "in"
    assert await outcome(database, "nobody") == "refused"
    assert await outcome(database, secret=PASSWORD, at=AT + timedelta(minutes=15)) == "in"
    locked = [deed for deed in await database.read(deeds) if deed[1] == "user.locked"]
    assert locked == [("operator:anna", "user.locked", "anna")]


@pytest.mark.usefixtures("quick_hashes")
async def test_a_name_that_nobody_has_is_locked_out_just_so(database: Database) -> None:
    await guess(database, 5, "nobody")
    assert await outcome(database, "nobody") == "15"


@pytest.mark.usefixtures("quick_hashes")
async def test_twenty_failures_lock_out_a_name_everywhere_or_an_address_for_all(database: Database) -> None:
    await user(database)
    for number in range(4):
        await guess(database, 5, address=f"192.0.2.{number}")
        await guess(database, 5, name=f"nobody{number}")
    assert await outcome(database, secret=PASSWORD, address="198.51.100.1") == "15"
    assert await outcome(database, "somebody") == "15"
    assert await outcome(database, "somebody", address="198.51.100.1") == "refused"


@pytest.mark.usefixtures("quick_hashes")
async def test_success_forgets_the_failures_of_that_name_there(database: Database) -> None:
    await user(database)
    await guess(database, 4)
    await guess(database, 1, address="192.0.2.8")
    assert await outcome(database, secret=PASSWORD) == "in"
    assert await database.read(failures) == [("anna", "192.0.2.8")]
    await guess(database, 5)


@pytest.mark.usefixtures("quick_hashes")
async def test_an_ipv6_network_counts_as_one_address(database: Database) -> None:
    for number in range(5):
        await guess(database, 1, address=f"2001:db8:1:2::{number}")
    assert await outcome(database, address="2001:db8:1:2:ffff::1") == "15"
    assert await outcome(database, address="2001:db8:1:3::1") == "refused"


@pytest.mark.usefixtures("quick_hashes")
async def test_guesses_at_once_in_two_processes_do_not_slip_past(
    database: Database, database_url: str
) -> None:
    await user(database)
    other = open_database(database_url)
    ends = await asyncio.gather(*(outcome((database, other)[number % 2]) for number in range(24)))
    assert (ends.count("refused"), ends.count("15")) == (5, 19)
    await other.close()


@pytest.mark.usefixtures("quick_hashes")
async def test_a_new_password_and_an_unlock_end_a_lock_out(database: Database) -> None:
    await user(database)
    await guess(database, 5)
    assert await database.write(lockout.forget, "anna") == 5
    await guess(database, 5)
    await database.write(users.set_password, "anna", hash_of(), by_cli())
    assert await outcome(database, secret=PASSWORD) == "in"


@pytest.mark.usefixtures("quick_hashes")
async def test_failures_that_count_no_more_are_pruned(database: Database) -> None:
    await guess(database, 2)
    assert await database.write(lockout.prune, AT + timedelta(minutes=14)) == 0
    assert await database.write(lockout.prune, AT + timedelta(minutes=15)) == 2
    assert await database.read(failures) == []


async def test_the_old_password_is_confirmed_under_the_same_lock_out(database: Database) -> None:
    anna = await user(database)
    await signin.confirm(database, anna, PASSWORD, HOME, AT)
    assert await database.read(failures) == []
    for _ in range(5):
        with pytest.raises(SignInRefused):
            await signin.confirm(database, anna, WRONG, HOME, AT)
    with pytest.raises(LockedOut):
        await signin.confirm(database, anna, PASSWORD, HOME, AT)


async def test_a_password_that_is_changed_while_it_is_compared_lets_nobody_in(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await user(database)

    async def slow(found: PasswordHash | None, secret: str) -> bool:
        await database.write(users.set_password, "anna", hash_of("battery staple"), by_cli())
        return found is not None

    monkeypatch.setattr(password, "fits", slow)
    assert await outcome(database, secret=PASSWORD) == "refused"
    assert await database.read(session.of_user, anna.id, AT) == []


async def test_an_old_hash_is_made_anew_once_the_password_is_known(database: Database) -> None:
    await user(database)
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)

    def hash_now(connection: Connection) -> PasswordHash:
        return PasswordHash(connection.execute(select(kept.c.password_hash)).scalar_one())

    def weaken(connection: Connection) -> None:
        connection.execute(update(kept).values(password_hash=weak))

    await database.write(weaken)
    assert await outcome(database, secret=PASSWORD) == "in"
    renewed = await database.read(hash_now)
    assert renewed != weak
    assert not password.is_dated(renewed)
    assert await outcome(database, secret=PASSWORD) == "in"
    assert await database.read(hash_now) == renewed


async def test_the_case_of_a_name_does_not_count(database: Database, quick_hashes: None) -> None:
    await user(database, "Anna")
    assert await outcome(database, "ANNA", PASSWORD) == "in"
    assert ("operator:Anna", "user.sign_in", "Anna") in await database.read(deeds)
    for name in ("anna", "Anna", "aNna", "anNa", "annA"):
        assert await outcome(database, name) == "refused"
    assert await outcome(database, "ANNa") == "15", "each way to write it has no guesses of its own"


async def test_who_was_told_apart_by_case_writes_the_name_exactly(
    database: Database, quick_hashes: None
) -> None:
    await user(database, "Anna")
    other = await user(database, "berit")
    await database.write(
        lambda connection: connection.execute(update(kept).where(kept.c.id == other.id).values(name="anna"))
    )
    entered, _ = await signin.enter(database, "anna", PASSWORD, HOME, AT)
    assert entered.id == other.id
    assert await outcome(database, "ANNA", PASSWORD) == "refused"


@pytest.mark.usefixtures("quick_hashes")
async def test_strangers_cannot_keep_somebody_out_where_they_signed_in_before(database: Database) -> None:
    await user(database, "Anna")
    assert await outcome(database, "Anna", PASSWORD) == "in"
    for number in range(25):
        await outcome(database, "anna", address=f"198.51.100.{number}")
    assert await outcome(database, "anna", PASSWORD, address="192.0.2.200") == "15", "nobody knows it there"
    assert await outcome(database, "anna", PASSWORD) == "in"
    later = AT + lockout.KNOWN
    for number in range(25):
        await outcome(database, "anna", address=f"198.51.100.{number}", at=later)
    assert await outcome(database, "anna", PASSWORD, at=later) == "15", "it is long ago"


@pytest.mark.usefixtures("quick_hashes")
async def test_guesses_where_somebody_signed_in_before_are_counted_all_the_same(database: Database) -> None:
    await user(database)
    assert await outcome(database, secret=PASSWORD) == "in"
    await guess(database, 5)
    assert await outcome(database, secret=PASSWORD) == "15"
