"""What a run is judged by."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.databases import SQLITE
from conformance.__main__ import judged
from conformance.record import Outcome, table

ASKED = {"status": "success", "skip_reason": None}
REPORT: dict[str, Any] = {
    "seed": 7,
    "running_time": 60.4,
    "operations": {"total": 10, "tested": 10},
    "test_cases": {"generated": 2347, "unique_failures": 0},
    "phases": {"examples": ASKED, "stateful": ASKED},
    "failures": [],
    "errors": [],
    "complete": True,
}
RIGHT = Outcome(SQLITE, REPORT, {"paid": 5}, ())
LIE = {"title": "Undocumented status", "type": "UndefinedStatusCode", "operations": ["GET /a", "PUT /b"]}
FAILED = {"status": "failure", "skip_reason": None}
SKIPPED = {"status": "skip", "skip_reason": "nothing to test"}


def test_a_run_without_a_finding_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert judged([RIGHT]) == 0
    assert capsys.readouterr().err == ""
    cells = ["SQLite", "7", "60", "10 of 10", "2,347", "0", "5 paid", "right"]
    assert RIGHT.cells() == cells
    assert table([RIGHT]).splitlines()[1].split("  ")[0] == "SQLite"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"failures": [LIE]}, "Undocumented status (UndefinedStatusCode): GET /a, PUT /b."),
        ({"complete": False}, "schemathesis did not come to its end."),
        ({"errors": ["no connection"]}, "schemathesis could not ask: no connection."),
        ({"phases": {"examples": FAILED, "stateful": SKIPPED}}, "Nothing was asked in the phase stateful."),
        ({"operations": {"total": 10, "tested": 9}}, "1 of 10 calls were not asked."),
    ],
)
def test_whatever_schemathesis_complains_of_is_wrong(
    changes: dict[str, Any], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = replace(RIGHT, report=REPORT | changes)
    assert outcome.complaints == [sentence]
    assert outcome.cells()[-1] == "WRONG"
    assert judged([RIGHT, outcome]) == 1
    assert capsys.readouterr().err == f"conform: SQLite: {sentence}\n"


def test_an_error_that_the_program_logged_is_wrong() -> None:
    outcome = replace(RIGHT, errors=('{"event": "http.failed", "level": "error"}',))
    assert outcome.complaints == ['The program logged an error: {"event": "http.failed", "level": "error"}']
