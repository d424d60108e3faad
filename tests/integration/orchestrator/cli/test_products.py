"""``orchestrator products`` as somebody types it."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from orchestrator.catalogue_cells import COLUMNS
from orchestrator.catalogue_csv import DEMO
from orchestrator.cli import app
from orchestrator.database import open_database
from tests.fixtures.people import recorded

HEADER = ",".join(COLUMNS)


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


Command = Callable[..., Ended]


def run(*arguments: str, given: bytes = b"") -> Ended:
    """Run ``orchestrator products`` in this process."""
    result = CliRunner().invoke(app, ["products", *arguments], input=given)
    return Ended(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The current directory is the test's own, with no database and no settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATOR_DATABASE_URL", raising=False)


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Command:
    """Run ``orchestrator products`` on a migrated, empty database."""
    monkeypatch.setenv("ORCHESTRATOR_DATABASE_URL", database_url)
    return run


def test_import_list_and_export(products: Command, tmp_path: Path) -> None:
    empty = products("list")
    assert (empty.status, empty.err) == (0, "")
    assert "products import FILE.csv" in empty.out

    imported = products("import", str(DEMO))
    assert imported == (0, "Created 10 and changed 0 products; 0 stayed as they were.\n", "")

    listed = products("list")
    assert listed.status == 0
    lines = listed.out.splitlines()
    assert lines[0].split() == [
        "TOKEN",
        "TITLE",
        "PRICE",
        "TAX",
        "%",
        *["ON", "HAND", "RESERVED", "AVAILABLE", "FOR", "SALE"],
    ]
    assert lines[-1].split()[-7:] == ["499.00", "SEK", "25", "3", "0", "3", "yes"]

    exported = products("export")
    assert (exported.status, exported.err) == (0, "")
    assert sorted(exported.out.splitlines()) == sorted(DEMO.read_text(encoding="utf-8").splitlines())

    written = products("export", "--output", "products.csv")
    assert written == (0, "", "")
    assert (tmp_path / "products.csv").read_text(encoding="utf-8") == exported.out


def test_import_reads_standard_input_and_can_be_tried_first(products: Command) -> None:
    data = f"{HEADER}\nmug,Mug,149,SEK,25,,,5,,\n".encode()
    tried = products("import", "--dry-run", "-", given=data)
    assert tried == (0, "Would create 1 and change 0 products; 0 would stay as they are.\n", "")
    assert "no products yet" in (products("list")).out
    done = products("import", "-", given=data)
    assert done.out == "Created 1 and changed 0 products; 0 stayed as they were.\n"


def test_wrong_file_is_one_line_and_imports_nothing(products: Command) -> None:
    data = f"{HEADER}\nmug,Mug,149,SEK,25,,,,,\nspoon,Spoon,x,SEK,25,,,y,,\n".encode()
    ended = products("import", "-", given=data)
    assert ended.status == 1
    assert ended.err == (
        "orchestrator: -: nothing was imported: "
        "line 3, column price: 'x' should be a number such as 149.90 (and 1 more).\n"
    )
    assert ended.out.splitlines()[1] == "line 3, column on_hand: 'y' should be a whole number, 0 or more"
    assert "no products yet" in (products("list")).out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("import", "missing.csv"), "missing.csv cannot be read: No such file or directory"),
        (("import", "."), ". cannot be read: Is a directory"),
        (("export", "-o", "missing/products.csv"), "missing/products.csv cannot be written: No such file"),
    ],
)
def test_failure_is_one_line(products: Command, arguments: tuple[str, ...], words: str) -> None:
    ended = products(*arguments)
    assert (ended.status, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert words in ended.err


def test_unmigrated_database_says_what_to_type() -> None:
    said = "orchestrator: The database has no tables yet. Type: orchestrator migrate\n"
    assert run("list") == (1, "", said)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("import",), "Missing argument"), (("sell",), "No such command"), (("list", "--all"), "--all")],
)
def test_wrong_use_is_status_2(arguments: tuple[str, ...], words: str) -> None:
    ended = run(*arguments)
    assert ended.status == 2
    assert words in ended.err


def test_help_teaches_the_columns() -> None:
    ended = run("import", "--help")
    assert ended.status == 0
    assert all(column in ended.out for column in COLUMNS)
    assert "mug:2;spoon:1" in ended.out


def test_process_ends_with_the_status() -> None:
    program = "from orchestrator.cli import main; main()"
    search = [entry for entry in sys.path if entry]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {search!r}; {program}", "products", "list"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "orchestrator: The database has no tables yet. Type: orchestrator migrate\n"


def test_an_import_is_in_the_audit_log_once_it_changes_something(
    products: Command, database_url: str
) -> None:
    for _ in range(2):
        assert products("import", str(DEMO)).status == 0

    async def look() -> list[tuple[str, str, str]]:
        database = open_database(database_url)
        try:
            return await database.read(recorded)
        finally:
            await database.close()

    assert asyncio.run(look()) == [("cli", "product.import", "catalogue")]
