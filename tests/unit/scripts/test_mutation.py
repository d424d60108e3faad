"""What mutmut's results are counted as, and when they are not enough."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from scripts import mutation

RESULTS = """
    statemachine.table.x_check__mutmut_1: killed
    statemachine.table.x_check__mutmut_2: caught by type check
    orchestrator.checks.xǁBackgroundChecksǁsoon__mutmut_1: survived
    orchestrator.checks.xǁBackgroundChecksǁsoon__mutmut_2: no tests
    orchestrator.checks.xǁBackgroundChecksǁclose__mutmut_1: timeout
    orchestrator.checks.xǁBackgroundChecksǁclose__mutmut_2: killed
"""


@pytest.fixture
def figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the figures go."""
    path = tmp_path / "var" / "figures.json"
    monkeypatch.setattr(mutation, "FIGURES", path)
    return path


def report(monkeypatch: pytest.MonkeyPatch, results: str) -> int:
    """The exit status after such a run."""
    monkeypatch.setattr(mutation, "results", lambda: results)
    return mutation.main()


def test_every_fate_is_counted_by_file() -> None:
    assert mutation.by_file(mutation.parse(RESULTS)) == {
        "orchestrator/checks.py": mutation.Fates(mutants=4, refused=0, killed=1, timed_out=1, survived=2),
        "statemachine/table.py": mutation.Fates(mutants=2, refused=1, killed=1, timed_out=0, survived=0),
    }


def test_too_many_survivors_fail_and_are_named(
    figures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(monkeypatch, RESULTS) == 1
    told = capsys.readouterr()
    assert told.err == "Tests killed 40.0 % of the mutants; 90 % is demanded.\n"
    assert told.out.splitlines()[1].split() == ["orchestrator/checks.py", "4", "0", "1", "1", "2", "25.0"]
    assert told.out.splitlines()[3].split() == ["all", "6", "1", "2", "1", "2", "40.0"]
    kept = json.loads(figures.read_text())
    assert kept["killed_percent"] == 40.0
    assert kept["files"]["statemachine/table.py"]["refused"] == 1
    assert kept["survived"] == [
        "orchestrator.checks.xǁBackgroundChecksǁsoon__mutmut_1",
        "orchestrator.checks.xǁBackgroundChecksǁsoon__mutmut_2",
    ]


def test_nine_of_ten_are_enough_and_what_types_refuse_does_not_help(
    figures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nine = [f"  statemachine.table.x_check__mutmut_{number}: killed" for number in range(9)]
    one = ["  statemachine.table.x_check__mutmut_9: survived"]
    refused = [f"  statemachine.table.x_fire__mutmut_{number}: caught by type check" for number in range(90)]
    assert report(monkeypatch, "\n".join(nine + one)) == 0
    assert report(monkeypatch, "\n".join(nine[1:] + one + refused)) == 1


@pytest.mark.parametrize("results", ["", RESULTS + "    statemachine.table.x_check__mutmut_3: not checked\n"])
def test_a_run_that_was_broken_off_is_no_result(
    figures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], results: str
) -> None:
    assert report(monkeypatch, results) == 1
    assert "mutants are still to be judged: run make mutate again." in capsys.readouterr().err
    assert not figures.exists()


def test_all_that_must_be_covered_whole_is_mutated() -> None:
    root = Path(__file__).parents[3]
    (complete,) = re.findall("^COMPLETE := (.*)$", (root / "Makefile").read_text(), re.MULTILINE)
    mutated = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["mutmut"]["only_mutate"]
    assert set(mutated) == {*complete.split(","), "orchestrator/closing.py"}
