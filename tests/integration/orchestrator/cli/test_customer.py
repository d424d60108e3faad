"""``orchestrator customer`` as somebody types it."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, select

from orchestrator import note
from orchestrator.database import open_database
from orchestrator.identity import now
from orchestrator.stamp import Stamp
from orchestrator.tables import audit, purchases
from tests.fixtures.dashboard import place
from tests.fixtures.operations import logging_as_before
from tests.integration.orchestrator.cli.test_operations import run

T = TypeVar("T")
PHONE = ("--phone", "070-000 00 01")


@pytest.fixture
def shop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_template: Path
) -> Iterator[Callable[[Callable[[Connection], Any]], Any]]:
    """A database for the commands; calling it does a unit of work there."""
    path = tmp_path / "shop.db"
    path.write_bytes(sqlite_template.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORCHESTRATOR_DATABASE_URL", f"sqlite:///{path}")

    def using(work: Callable[[Connection], T]) -> T:
        async def use() -> T:
            database = open_database(f"sqlite:///{path}")
            done = await database.write(work)
            await database.close()
            return done

        return asyncio.run(use())

    with logging_as_before():
        yield using


def bought(connection: Connection) -> list[str]:
    """One finished purchase, one that is not, and one of somebody else."""
    at = now() - timedelta(hours=1)
    place(connection, "stocked", at, customer_msisdn="46709999999", customer_email="bo@example.com")
    return [place(connection, state, at) for state in ("stocked", "invoiced")]


def left(connection: Connection) -> dict[str, str]:
    return {row.id: row.customer_name for row in connection.execute(select(purchases))}


def told(connection: Connection) -> list[tuple[str, str, str]]:
    rows = connection.execute(select(audit.c.actor, audit.c.action, audit.c.detail).order_by(audit.c.id))
    return [(row[0], row[1], row[2]) for row in rows]


def test_a_dry_run_says_what_would_be_erased_and_erases_nothing(shop: Any) -> None:
    done, open_ = shop(bought)
    ended = run("customer", "erase", *PHONE, "--dry-run")
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[1].startswith(done)
    assert lines[1].endswith("yes")
    assert lines[2].startswith(open_)
    assert lines[2].endswith("no: not finished yet")
    assert lines[3:] == ["Would erase the customer of 1 purchase; 1 would stay."]
    assert set(shop(left).values()) == {"Anna Svensson"}
    assert shop(told) == []


def test_finished_purchases_are_erased_and_the_open_one_is_told_of(shop: Any) -> None:
    done, open_ = shop(bought)
    unsaid = run("customer", "erase", *PHONE)
    assert (unsaid.status, unsaid.err.count("\n")) == (1, 1)
    assert "say --yes" in unsaid.err
    assert set(shop(left).values()) == {"Anna Svensson"}

    ended = run("customer", "erase", *PHONE, "--yes")
    assert ended.status == 1
    assert ended.out.endswith("Erased the customer of 1 purchase.\n")
    assert ended.err == (
        f"orchestrator: 1 purchase could not be erased: {open_} is invoiced, not finished yet. "
        "Erase again when that is over.\n"
    )
    names = shop(left)
    assert (names.pop(done), set(names.values())) == ("", {"Anna Svensson"})
    assert shop(told) == [("cli", "customer.erase", "1 erased, 1 left")]
    assert run("customer", "erase", "--email", "BO@example.com", "--yes").status == 0
    gone = run("customer", "erase", "--email", "bo@example.com", "--yes")
    assert (gone.status, gone.out) == (1, "")
    assert "No purchase has that phone number or mail address" in gone.err


def test_an_export_is_json_for_its_owner_only(shop: Any, tmp_path: Path) -> None:
    shop(bought)
    ended = run("customer", "export", *PHONE)
    assert (ended.status, ended.err) == (0, "")
    assert [one["customer"]["name"] for one in json.loads(ended.out)["purchases"]] == ["Anna Svensson"] * 2
    file = tmp_path / "anna.json"
    assert run("customer", "export", *PHONE, "--output", str(file)).out == ""
    assert json.loads(file.read_text())["asked_for"] == {"phone": "070-000 00 01", "email": None}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "cannot be written" in run("customer", "export", *PHONE, "-o", str(tmp_path)).err
    assert [action for _, action, _ in shop(told)] == ["customer.export"] * 3


def test_somebody_has_to_be_named_and_help_teaches(shop: Any) -> None:
    for command in ("erase", "export"):
        ended = run("customer", command)
        assert (ended.status, ended.out) == (1, "")
        assert "a mail address, or both" in ended.err
        assert "audit log" in " ".join(run("customer", command, "--help").out.split())


def test_two_names_and_notes_are_warned_of(shop: Any) -> None:
    done, _ = shop(bought)
    shop(lambda connection: place(connection, "stocked", customer_name="Åsa Öberg"))
    shop(lambda connection: note.add(connection, done, "Anna rang.", Stamp("operator:eva", now())))
    ended = run("customer", "erase", *PHONE, "--dry-run")
    assert ended.err.splitlines() == [
        "They have 2 different names: is it one customer?",
        "1 note or reason seems to name the customer; nobody can change what it says.",
    ]


def test_on_a_terminal_it_asks_first(shop: Any) -> None:
    shop(lambda connection: place(connection, "stocked"))
    for answer, status, names in (("n", 1, ["Anna Svensson"]), ("y", 0, [""])):
        ours, its = os.openpty()
        os.write(ours, f"{answer}\n".encode())
        command = [sys.executable, "-m", "orchestrator", "customer", "erase", *PHONE]
        ended = subprocess.run(command, stdin=its, capture_output=True, text=True, timeout=60, check=False)
        os.close(ours)
        os.close(its)
        assert "Erase the customer of 1 purchase? It cannot be undone" in ended.stderr
        assert ended.returncode == status
        assert list(shop(left).values()) == names
