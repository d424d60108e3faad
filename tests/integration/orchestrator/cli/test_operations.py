"""``orchestrator migrate``, ``users``, ``purchases`` and ``doctor`` as somebody types them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from orchestrator import lockout, signin
from orchestrator.cli import app
from orchestrator.database import Database, open_database
from orchestrator.identity import now
from orchestrator.session import Origin
from orchestrator.signin import SignInRefused
from tests.fixtures.happenings import asks
from tests.fixtures.operations import keep_purchase, logging_as_before
from tests.fixtures.shop import at_work

NEVER = "00000000-0000-7000-8000-000000000000"


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


Command = Callable[..., Ended]


def run(*arguments: str, given: str = "") -> Ended:
    """Run ``orchestrator`` in this process."""
    result = CliRunner().invoke(app, list(arguments), input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Ended(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The current directory is the test's own, with no database and no settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATOR_DATABASE_URL", raising=False)
    with logging_as_before():
        yield


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch, database_url: str) -> str:
    """The commands work on a migrated, empty database."""
    monkeypatch.setenv("ORCHESTRATOR_DATABASE_URL", database_url)
    return database_url


def using(url: str, work: Callable[[Database], Awaitable[None]]) -> None:
    async def use() -> None:
        database = open_database(url)
        await work(database)
        await database.close()

    asyncio.run(use())


def test_migrate_makes_the_tables_and_a_second_time_says_so(tmp_path: Path) -> None:
    first = run("migrate")
    assert (first.status, first.err) == (0, "")
    assert first.out.startswith("The database went from nothing to ")
    assert (tmp_path / "var" / "orchestrator.db").exists()
    assert "nothing to do" in run("migrate").out


def test_commands_on_an_unmigrated_database_say_what_to_type() -> None:
    for command in (("users", "list"), ("purchases", "list"), ("purchases", "show", NEVER)):
        ended = run(*command)
        assert (ended.status, ended.out) == (1, "")
        assert ended.err.count("\n") == 1
        assert "orchestrator migrate" in ended.err


def test_users_come_in_get_passwords_and_are_listed(on: str) -> None:
    assert "users add NAME" in run("users", "list").out
    assert run("users", "add", "anna", "--role", "viewer", given="correct horse\n").status == 0
    listed = run("users", "list").out.splitlines()
    assert listed[0].split() == ["NAME", "ROLE", "ADDED"]
    assert listed[1].split()[:2] == ["anna", "viewer"]
    assert run("users", "passwd", "anna", given="battery staple").status == 0

    async def signs_in(database: Database) -> None:
        await signin.enter(database, "anna", "battery staple", Origin(), now())
        with pytest.raises(SignInRefused):
            await signin.enter(database, "anna", "correct horse", Origin(), now())

    using(on, signs_in)


def test_users_get_roles_and_are_unlocked_and_removed(on: str) -> None:
    for name, role in (("ada", "admin"), ("anna", "viewer")):
        assert run("users", "add", name, "--role", role, given="correct horse\n").status == 0
    assert run("users", "role", "anna", "operator").out == "anna is operator now.\n"
    assert run("users", "role", "anna", "operator").out == "anna was operator already.\n"
    assert "last admin" in run("users", "role", "ada", "viewer").err
    assert run("users", "unlock", "anna").out == "anna was not locked out.\n"

    async def locks_out(database: Database) -> None:
        for _ in range(lockout.MOST_OF_NAME_AND_ADDRESS):
            await database.write(lockout.admit, "anna", "192.0.2.7", now())

    using(on, locks_out)
    assert run("users", "unlock", "anna").out == "anna may try again.\n"
    assert run("users", "remove", "anna").out == "anna is removed.\n"
    assert "no user anna" in run("users", "unlock", "anna").err
    assert [line.split()[0] for line in run("users", "list").out.splitlines()] == ["NAME", "ada"]


@pytest.mark.parametrize(
    ("arguments", "given", "words"),
    [
        (("add", "anna"), "short\n", "at least 8"),
        (("add", "anna"), "", "standard input"),
        (("add", "an na"), "correct horse\n", "no name"),
        (("passwd", "anna"), "correct horse\n", "no user anna"),
    ],
)
def test_a_user_that_cannot_be_is_one_clear_line(
    on: str, arguments: tuple[str, ...], given: str, words: str
) -> None:
    ended = run("users", *arguments, given=given)
    assert (ended.status, ended.out) == (1, "")
    assert words in ended.err
    assert "correct horse" not in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("users", "add"),
        ("users", "add", "anna", "the-password"),
        ("users", "add", "anna", "--role", "king"),
        ("purchases", "list", "--state", "lost"),
        ("purchases", "list", "--limit", "0"),
        ("purchases", "show"),
        ("doctor", "--yaml"),
    ],
)
def test_wrong_use_ends_with_two(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).status == 2


def test_purchases_are_listed_and_shown(on: str) -> None:
    assert run("purchases", "list").out == "There are no such purchases.\n"
    ids: list[str] = []

    async def fill(database: Database) -> None:
        ids.append(await database.write(keep_purchase, customer_name="Berta \x1b[31m Ek"))
        ids.append(await database.write(keep_purchase, state="failed", reason="expired"))
        ids.append(await database.write(keep_purchase, state="paid", attention="The stock lacks 1 mug."))

    using(on, fill)
    listed = run("purchases", "list").out.splitlines()
    assert [line.split()[0] for line in listed] == ["ID", *ids[::-1]]
    assert listed[1].endswith("!")
    assert run("purchases", "list", "--state", "failed").out.count("expired") == 1
    found = run("purchases", "list", "--q", "berta").out
    assert ids[0] in found
    assert "\x1b" not in found
    few = run("purchases", "list", "--limit", "1")
    assert (len(few.out.splitlines()), "--limit 2" in few.err) == (2, True)
    shown = run("purchases", "show", ids[2]).out
    for words in (
        "paid",
        "The stock lacks 1 mug.",
        "Mug (mug)",
        "149.00 SEK",
        "Anna Svensson",
        "903 26 Umeå",
    ):
        assert words in shown


def test_equal_calls_in_a_row_are_shown_as_one(on: str) -> None:
    ids: list[str] = []

    async def fill(database: Database) -> None:
        ids.append(await database.write(keep_purchase, state="invoiced"))
        await database.write(asks, ids[0], 30, datetime(2026, 3, 1, 12, tzinfo=UTC))
        await database.write(asks, ids[0], 1, datetime(2026, 3, 1, 13, tzinfo=UTC), "PAID")

    using(on, fill)
    calls = run("purchases", "show", ids[0]).out.partition("Calls to SEQR\n")[2].splitlines()
    assert len(calls) == 2
    assert calls[0].startswith("  2026-03-01 12:00:00")
    assert calls[0].endswith("ISSUED (30 times until 2026-03-01 12:00:29)")
    assert calls[1].endswith("PAID")


def test_an_unknown_purchase_is_one_clear_line(on: str) -> None:
    ended = run("purchases", "show", NEVER)
    assert ended == (1, "", f"orchestrator: There is no purchase {NEVER}.\n")


def test_without_seqrs_address_nothing_can_be_retried(on: str) -> None:
    ended = run("purchases", "retry", NEVER)
    assert ended.status == 1
    assert "ORCHESTRATOR_SEQR_ENDPOINT" in ended.err


async def test_a_purchase_is_cancelled_and_retried(
    monkeypatch: pytest.MonkeyPatch, database: Database, database_url: str
) -> None:
    async with at_work(database) as shop:
        monkeypatch.setenv("ORCHESTRATOR_DATABASE_URL", database_url)
        monkeypatch.setenv("ORCHESTRATOR_SECRET_KEY", shop.parts.secret)
        monkeypatch.setenv("ORCHESTRATOR_PUBLIC_URL", shop.base_url)
        monkeypatch.setenv("ORCHESTRATOR_SEQR_ENDPOINT", shop.sandbox.soap_url)
        monkeypatch.setenv("ORCHESTRATOR_SEQR_PRINCIPAL_ID", "public_test_shop_terminal")
        monkeypatch.setenv("ORCHESTRATOR_SEQR_PASSWORD", "12345678")
        await shop.buy()
        purchase_id = (await shop.only())["id"]

        async def typed(action: str) -> Ended:
            return await asyncio.to_thread(run, "purchases", action, purchase_id)

        assert await typed("cancel") == (0, f"{purchase_id} is failed (cancelled_by_merchant) now.\n", "")
        assert await typed("cancel") == (1, "", "orchestrator: It has failed already.\n")
        assert await typed("retry") == (0, f"{purchase_id} is invoiced now.\n", "")
        _, shown, _ = await typed("show")
        assert "Calls to SEQR" in shown
        assert "(cli)" in shown


def test_the_doctor_finds_what_is_missing_and_says_what_to_do(on: str) -> None:
    ended = run("doctor")
    assert ended.status == 1
    assert "ORCHESTRATOR_SEQR_ENDPOINT" in ended.out
    assert "-> " in ended.out
    assert ended.out.splitlines()[-1].endswith("failed.")


def test_the_doctor_speaks_json(on: str) -> None:
    ended = run("doctor", "--json")
    findings = {found["name"]: found for found in json.loads(ended.out)}
    assert findings["database"]["health"] == "ok"
    assert findings["migrations"]["health"] == "ok"
    assert findings["settings"]["health"] == "fail"
    assert all(found["remedy"] for found in findings.values() if found["health"] != "ok")


def test_the_doctor_tells_of_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_POLL_INTERVAL", "soon")
    ended = run("doctor")
    assert ended.status == 1
    assert "ORCHESTRATOR_POLL_INTERVAL" in ended.out


def test_the_doctor_makes_no_database(tmp_path: Path) -> None:
    ended = run("doctor")
    assert "orchestrator migrate" in ended.out
    assert not (tmp_path / "var").exists()
