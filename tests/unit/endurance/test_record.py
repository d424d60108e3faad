"""What a run came to, in a line, and the exit status."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from endurance.__main__ import judged
from endurance.audit import Verdict, Waits
from endurance.record import Outcome, table

RIGHT = Outcome(
    mode="late",
    database="SQLite",
    began_at=datetime(2026, 1, 1, tzinfo=UTC),
    seconds=400,
    crowd=500,
    asked=80_000,
    cpu_share=0.5,
    rss_mb=120,
    load=(1.0, 2.0),
    errors=(),
    verdict=Verdict(10_000, 0, 0, 0, Waits(3, 1.0, 2.0, 3.0), Waits(0), (), ()),
)
LATE = replace(RIGHT, verdict=replace(RIGHT.verdict, late=("It took 7 s.",)))
WRONG = replace(LATE, verdict=replace(LATE.verdict, lost=1, complaints=("One is lost.",)))
LOGGED = replace(RIGHT, errors=("Traceback",))


def test_a_line_has_the_figures() -> None:
    line = " ".join(table([RIGHT]).splitlines()[1].split())

    assert line == "late SQLite 10,000 500 25.0 0 0 0 1.00 / 2.00 / 3.00 - 200 50% 1.0–2.0 right"


@pytest.mark.parametrize(
    ("outcome", "word"), [(RIGHT, "right"), (LATE, "LATE"), (WRONG, "WRONG"), (LOGGED, "WRONG")]
)
def test_a_line_ends_with_the_verdict(outcome: Outcome, word: str) -> None:
    assert table([outcome]).split()[-1] == word


def test_whatever_is_wrong_is_said_and_makes_the_status_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert judged([RIGHT]) == 0
    assert judged([RIGHT, WRONG, LOGGED]) == 1

    assert capsys.readouterr().err.splitlines() == [
        "endure: late on SQLite: One is lost.",
        "endure: late on SQLite: It took 7 s.",
        "endure: late on SQLite: The program logged an error: Traceback",
    ]
    assert judged([LATE]) == 1
