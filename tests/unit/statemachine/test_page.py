"""The documentation's page of the machine is the table's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from statemachine import TABLE
from statemachine.page import markdown

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_in_the_documentation_is_up_to_date() -> None:
    assert (DOCS / "state-machine.md").read_text() == markdown()


def test_every_transition_has_a_row() -> None:
    page = markdown()
    for arrow in TABLE:
        assert f"| `{arrow.source}` | `{arrow.trigger}` | `{arrow.target}` | {arrow.meaning} |" in page


def test_the_command_writes_page_and_picture() -> None:
    for name, file in (("page", "state-machine.md"), ("picture", "state-machine.svg")):
        written = subprocess.run(
            [sys.executable, "-m", "statemachine", name], check=True, capture_output=True, text=True
        ).stdout
        assert written == (DOCS / file).read_text()
