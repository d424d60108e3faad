"""How often an open invoice is asked about."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.attempt import Attempt, Matter
from orchestrator.settings import Settings
from orchestrator.watch import Watched, intervals, next_check
from tests.fixtures.purchases import AT, a_purchase

PURCHASE = a_purchase("p1")


def an_attempt(number: int, state: str = "open", row_version: str | None = "7") -> Attempt:
    return Attempt(f"a{number}", "p1", number, state, f"R{number}", 1, None, None, AT, AT, None, row_version)


@pytest.mark.parametrize(
    ("poll_interval", "fresh", "later"),
    [(2, 2, 4), (0.2, 0.2, 0.4), (1, 1, 2), (3, 3, 4), (4, 4, 4), (5, 5, 5), (9, 9, 9), (10, 9, 9)],
)
def test_often_while_fresh_and_never_over_ten_seconds(
    poll_interval: float, fresh: float, later: float
) -> None:
    found = intervals(Settings(_env_file=None, poll_interval=poll_interval))
    assert [interval.total_seconds() for interval in found] == [fresh, later]


@pytest.mark.parametrize(("other", "others_open"), [("open", True), ("closed", False), ("unknown", False)])
def test_what_was_read_is_enough_where_the_database_tells_when_it_is_not_so_any_more(
    other: str, others_open: bool
) -> None:
    mine = an_attempt(1)
    found = Watched(PURCHASE, [mine, an_attempt(2, other)])
    assert found.matter(mine) == Matter(mine, PURCHASE, others_open, anothers=False)
    alone = Watched(PURCHASE, [mine])
    assert alone.matter(mine) == Matter(mine, PURCHASE, others_open=False, anothers=False)


def test_what_was_read_is_read_again_where_the_database_does_not_tell() -> None:
    mine = an_attempt(1, row_version=None)
    assert Watched(PURCHASE, [mine]).matter(mine) is None


def test_what_a_later_check_has_planned_stands() -> None:
    settings = Settings(_env_file=None, poll_interval=2)
    planned, second = AT + timedelta(seconds=1), timedelta(seconds=1)
    asked = PURCHASE._replace(asked_at=AT, next_check_at=planned)
    assert next_check(asked, settings, AT - second, AT, 0) == planned
    assert next_check(asked, settings, AT, AT, 0) == AT + 2 * second, "no other check was begun later"
    assert next_check(asked._replace(next_check_at=None), settings, AT - second, AT, 0) == AT + 2 * second


def test_it_is_asked_about_less_often_while_that_fails_but_often_enough() -> None:
    """SEQR takes a payment back after 20 s."""
    waits = [
        (next_check(PURCHASE, Settings(_env_file=None, poll_interval=0.25), AT, AT, failures) - AT)
        for failures in (0, 1, 2, 3, 9)
    ]
    assert [wait.total_seconds() for wait in waits] == [0.25, 0.5, 1, 2, 2]
