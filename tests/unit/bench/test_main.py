"""The command: which parts it measures, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import __main__ as command
from bench.errors import BenchError
from bench.report import Say, Table


async def _good(quick: bool, home: Path, say: Say) -> tuple[Table, dict[str, str]]:
    return Table(f"Good, {'quick' if quick else 'slow'}", ("what",), []), {"a fact": "7"}


async def _bad(quick: bool, home: Path, say: Say) -> tuple[Table, dict[str, str]]:
    raise BenchError("The shop is closed.")


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "DIRECTORY", tmp_path)
    monkeypatch.setattr(command, "PARTS", {"suite": _good, "start": _good, "workers": _bad})
    monkeypatch.delenv("QUICK", raising=False)
    monkeypatch.delenv("ONLY", raising=False)


def test_a_part_that_fails_leaves_the_others_their_figures(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert command.main() == 1
    said = capsys.readouterr()
    assert said.out.count("Good, slow") == 2
    assert "a fact: 7" in said.out
    assert "workers: The shop is closed." in said.err
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".txt"]


def test_a_quick_run_measures_less_of_fewer_parts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUICK", "1")
    assert command.main() == 0
    assert capsys.readouterr().out.count("Good, quick") == 2


@pytest.mark.parametrize(("only", "status", "found"), [("start", 0, 1), ("workers", 1, 0), ("lunch", 2, 0)])
def test_one_part_may_be_chosen(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    only: str,
    status: int,
    found: int,
) -> None:
    monkeypatch.setenv("ONLY", only)
    assert command.main() == status
    said = capsys.readouterr()
    assert said.out.count("Good") == found
    assert ("suite, start, workers" in said.err) == (status == 2)
