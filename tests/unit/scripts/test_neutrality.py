"""The check that no tracked file names a registry or a path of one machine."""

import re
from pathlib import Path

import pytest

from scripts import neutrality

# Put together here, because this file is checked as well.
HOST = ".".join(("pypi", "org"))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(neutrality, "ROOT", tmp_path)
    return tmp_path


def forbidden() -> re.Pattern[str]:
    return re.compile("|".join((*neutrality.REGISTRY_HOSTS, *neutrality.machine_paths())))


def test_a_registry_is_named_with_its_place(root: Path) -> None:
    file = root / "notes.md"
    file.write_text(f"fine\nsee {HOST}/simple\n", encoding="utf-8")
    assert list(neutrality.findings(file, forbidden())) == [f"notes.md:2: names {HOST}"]


def test_a_path_of_this_machine_is_found(root: Path) -> None:
    file = root / "notes.md"
    file.write_text(f"cd {root}/dashboard\n", encoding="utf-8")
    assert list(neutrality.findings(file, forbidden())) == [f"notes.md:1: names {root}"]


@pytest.mark.parametrize("line", ["orchestrator/app.py", "pypi_org", "https://shop.example/root/page"])
def test_other_text_is_fine(root: Path, line: str) -> None:
    file = root / "notes.md"
    file.write_text(line, encoding="utf-8")
    assert list(neutrality.findings(file, forbidden())) == []


def test_files_outside_git_are_not_read(root: Path) -> None:
    (root / "notes.md").write_text(HOST, encoding="utf-8")
    assert neutrality.tracked_files() == []
