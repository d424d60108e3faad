"""A run from beginning to end, with a stand-in for the fuzzer: what it says is heard, what breaks is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.target import load

ROOT = Path(__file__).parents[3]
STAND_IN = ROOT / "tests" / "fixtures" / "stand_in"
BROKEN = "import orchestrator.catalogue_import as broken\nbroken.preview = None\n"


def fuzz(place: Path, *options: str, path: Path = STAND_IN) -> subprocess.CompletedProcess[str]:
    """``python -m fuzz`` in another directory."""
    return subprocess.run(
        [sys.executable, "-m", "fuzz", *options],
        cwd=place,
        env={**os.environ, "PYTHONPATH": f"{path}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_that_finds_nothing_has_figures_and_a_corpus(tmp_path: Path) -> None:
    done = fuzz(tmp_path, "--target", "csv_import", "--seconds", "1")

    seeds = load("csv_import").all_seeds()
    assert done.returncode == 0, done.stderr
    heading, line = done.stdout.splitlines()
    assert heading.split()[:3] == ["target", "seconds", "executions"]
    assert line.split()[0] == "csv_import"
    kept = json.loads((tmp_path / "var/fuzz/csv_import.json").read_text(encoding="utf-8"))
    assert (kept["executions"], kept["edges"], kept["features"]) == (len(seeds), 100 + len(seeds), 200)
    assert (kept["corpus"], kept["crashes"]) == (len(seeds), [])
    assert kept["endings"]
    assert len(list((tmp_path / "var/fuzz/corpus/csv_import").iterdir())) == len(seeds)


def test_what_breaks_a_door_is_kept_and_let_in_again(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BROKEN, encoding="utf-8")
    done = fuzz(tmp_path, "--target", "csv_import", path=Path(f"{tmp_path}:{STAND_IN}"))

    crash = "var/fuzz/csv_import-crash-1"
    assert done.returncode == 1
    assert "'NoneType' object is not callable" in done.stderr
    assert f"csv_import broke. Again: make fuzz TARGET=csv_import INPUT={crash}" in done.stderr
    assert json.loads((tmp_path / "var/fuzz/csv_import.json").read_text("utf-8"))["crashes"] == [crash]
    again = fuzz(tmp_path, "--target", "csv_import", "--input", crash, path=tmp_path)
    assert again.returncode == 1
    assert "'NoneType' object is not callable" in again.stderr
    mended = fuzz(tmp_path, "--target", "csv_import", "--input", crash)
    assert (mended.returncode, mended.stdout) == (0, "csv_import holds: products\n")


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--input", "x"], 2, "INPUT needs TARGET"),
        (["--target", "csv_import", "--input", "gone"], 1, "fuzz: gone cannot be read: No such file"),
        (["--target", "door"], 2, "invalid choice: 'door'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    tmp_path: Path, options: list[str], status: int, words: str
) -> None:
    done = fuzz(tmp_path, *options)
    assert done.returncode == status
    assert words in done.stderr.splitlines()[-1]


def test_a_fuzzer_that_fails_by_itself_is_no_crash_of_ours(tmp_path: Path) -> None:
    (tmp_path / "atheris.py").write_text("raise ImportError('no library')\n", encoding="utf-8")
    done = fuzz(tmp_path, "--target", "csv_import", path=tmp_path)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == "fuzz: csv_import: the fuzzer ended with status 1; var/fuzz/csv_import.log says why."
    assert "no library" in done.stderr
