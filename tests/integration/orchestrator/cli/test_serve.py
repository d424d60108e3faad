"""``orchestrator serve``: what it says before it serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
import uvicorn
from typer.testing import CliRunner

from orchestrator.cli import app
from tests.fixtures.operations import NOWHERE, logging_as_before

PASSWORD = "hunter2-hunter2"


@pytest.fixture
def started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_template: Path
) -> Iterator[list[dict[str, Any]]]:
    """What the server is started with, on a migrated database and with all settings; it serves nothing."""
    starts: list[dict[str, Any]] = []

    def note(_app: object, **options: Any) -> None:
        starts.append(options)

    monkeypatch.chdir(tmp_path)
    copy(sqlite_template, tmp_path / "shop.db")
    monkeypatch.setattr(uvicorn, "run", note)
    monkeypatch.setenv("ORCHESTRATOR_DATABASE_URL", "sqlite:///shop.db")
    monkeypatch.setenv("ORCHESTRATOR_SEQR_ENDPOINT", NOWHERE)
    monkeypatch.setenv("ORCHESTRATOR_SEQR_PRINCIPAL_ID", "shop")
    monkeypatch.setenv("ORCHESTRATOR_SEQR_PASSWORD", "12345678")
    with logging_as_before():
        yield starts


def test_a_misspelt_variable_is_told_and_keeps_nothing_from_starting(
    started: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_ADMINPASSWORD", PASSWORD)
    result = CliRunner().invoke(app, ["serve", "--port", "8123"])
    assert result.exit_code == 0
    told = [line for line in result.stderr.splitlines() if line.startswith("orchestrator: ")]
    assert len(told) == 1
    assert "ORCHESTRATOR_ADMINPASSWORD is no setting and has no effect." in told[0]
    assert told[0].endswith("Did you mean ORCHESTRATOR_ADMIN_PASSWORD?")
    assert PASSWORD not in result.output
    assert [options["port"] for options in started] == [8123]


def test_where_all_is_spelt_right_nothing_is_said(started: list[dict[str, Any]]) -> None:
    result = CliRunner().invoke(app, ["serve"])
    assert (result.exit_code, result.stderr, len(started)) == (0, "", 1)
