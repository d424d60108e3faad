"""The list of all commands, which is told without loading any, and what a command loads."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from orchestrator.cli import COMMANDS, app, load

HEAVY = ("alembic", "dashboard", "sandbox", "sqlalchemy", "uvicorn", "zeep")


def loaded_by(statement: str) -> set[str]:
    """Which of the heavy packages a fresh process has loaded after it."""
    told = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(HEAVY) & set(told.stdout.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_what_the_list_tells_of_a_command_is_how_its_own_help_begins(name: str) -> None:
    help_of_its_own = " ".join(load(name).help.split())
    told = COMMANDS[name][1].removesuffix(".")
    assert help_of_its_own.startswith(told), help_of_its_own


def test_listing_the_commands_loads_none() -> None:
    assert loaded_by("import orchestrator.cli") == set()


def test_serve_loads_neither_the_sandbox_nor_what_migrates() -> None:
    assert {"alembic", "sandbox"}.isdisjoint(loaded_by("import orchestrator.cli.serve, orchestrator.app"))


def test_a_command_that_is_mistyped_is_told_with_the_one_that_was_meant() -> None:
    result = CliRunner().invoke(app, ["migrat"])
    assert result.exit_code == 2
    assert "Did you mean 'migrate'?" in " ".join(result.stderr.split())
