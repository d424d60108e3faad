"""The chart: bars as high as their numbers, under lines at numbers that people like."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.chart import HEIGHT, ceiling, draw
from dashboard.queries.overview import Bar

START = datetime(2026, 3, 10, tzinfo=UTC)


def bars(*numbers: tuple[int, int]) -> tuple[Bar, ...]:
    hour = timedelta(hours=1)
    return tuple(
        Bar(START + at * hour, START + (at + 1) * hour, created, sold)
        for at, (created, sold) in enumerate(numbers)
    )


@pytest.mark.parametrize(
    ("number", "top"),
    [(0, 2), (1, 2), (2, 2), (3, 4), (5, 10), (11, 20), (41, 50), (50, 50), (99, 100), (1001, 2000)],
)
def test_the_top_is_even_and_easy_to_read(number: int, top: int) -> None:
    assert ceiling(number) == top


def test_bars_are_as_high_as_their_numbers() -> None:
    drawn = draw(bars((10, 5), (0, 0), (4, 4)), START + timedelta(hours=1), 2)
    assert [(column.created, column.sold) for column in drawn.columns] == [
        (HEIGHT, HEIGHT / 2),
        (0, 0),
        (round(HEIGHT * 0.4, 1), round(HEIGHT * 0.4, 1)),
    ]
    assert drawn.lines == ((0, 0), (5, HEIGHT / 2), (10, HEIGHT))


def test_bars_share_the_width_and_those_ahead_are_known() -> None:
    drawn = draw(bars(*[(1, 1)] * 4), START + timedelta(hours=1, minutes=30), 2)
    assert [column.x for column in drawn.columns] == [0, 25, 50, 75]
    assert all(0 < column.width < column.slot == 25 for column in drawn.columns)
    assert [column.ahead for column in drawn.columns] == [False, False, True, True]
    assert [column.marked for column in drawn.columns] == [True, False, True, False]
