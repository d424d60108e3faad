"""A chart of bars: where everything stands. The template draws it as SVG, wide as the page, of one height."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dashboard.queries.overview import Bar

HEIGHT = 144
"""Pixels of the part with the bars."""

_GAP = 0.28
"""Of a bar's share of the width, so much stays free."""
_NICE = (1, 2, 4, 5, 10)


@dataclass(frozen=True, slots=True)
class Column:
    """One bar. ``x`` and ``width`` are hundredths of the chart's width; ``created`` and ``sold`` are heights
    in pixels. ``marked`` stands a time below it."""

    bar: Bar
    x: float
    slot: float
    width: float
    created: float
    sold: float
    marked: bool
    ahead: bool
    """It begins later than now."""


@dataclass(frozen=True, slots=True)
class Chart:
    """All bars, and the lines behind them by their value, with their heights."""

    columns: tuple[Column, ...]
    lines: tuple[tuple[int, float], ...]


def draw(bars: tuple[Bar, ...], at: datetime, mark_every: int) -> Chart:
    """The chart at the moment ``at``; every so many bars are marked with their time."""
    top = ceiling(max((bar.created for bar in bars), default=0))
    slot = 100 / len(bars)

    def height(number: int) -> float:
        return round(HEIGHT * number / top, 1)

    columns = tuple(
        Column(
            bar,
            x=round(slot * number, 3),
            slot=round(slot, 3),
            width=round(slot * (1 - _GAP), 3),
            created=height(bar.created),
            sold=height(bar.sold),
            marked=number % mark_every == 0,
            ahead=bar.start > at,
        )
        for number, bar in enumerate(bars)
    )
    return Chart(columns, tuple((value, height(value)) for value in (0, top // 2, top)))


def ceiling(number: int) -> int:
    """The next even number that people like to read: 2, 4, 10, 20, 40, 50, 100."""
    size = 1
    while True:
        for nice in _NICE:
            if nice * size >= max(number, 2) and nice * size % 2 == 0:
                return nice * size
        size *= 10
