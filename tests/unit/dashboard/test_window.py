"""The overview's windows: their bounds are full hours, and days are the shop's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboard.window import Span, window

STOCKHOLM = ZoneInfo("Europe/Stockholm")
NOON = datetime(2026, 3, 10, 11, 25, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_today_begins_at_the_shops_midnight_and_has_all_its_hours() -> None:
    today = window("today", NOON, STOCKHOLM)
    assert today.since == datetime(2026, 3, 9, 23, tzinfo=UTC)
    assert len(today.bars) == 24
    assert all(end - start == HOUR for start, end in today.bars)


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25)])
def test_a_day_on_which_the_clock_is_changed_has_the_hours_it_has(month: int, day: int, hours: int) -> None:
    at = datetime(2026, month, day, 18, tzinfo=UTC)
    assert len(window("today", at, STOCKHOLM).bars) == hours


def test_24_hours_end_with_the_hour_that_runs() -> None:
    day = window("day", NOON, STOCKHOLM)
    assert (day.since, day.edges[-1]) == (
        datetime(2026, 3, 9, 12, tzinfo=UTC),
        datetime(2026, 3, 10, 12, tzinfo=UTC),
    )
    assert len(day.bars) == 24


def test_a_week_is_today_and_six_days_before_in_quarters() -> None:
    week = window("week", NOON, STOCKHOLM)
    assert week.since == datetime(2026, 3, 3, 23, tzinfo=UTC)
    assert week.edges[-1] == datetime(2026, 3, 10, 23, tzinfo=UTC)
    assert len(week.bars) == 28


def test_a_week_in_which_the_clock_is_changed_keeps_to_the_clock() -> None:
    week = window("week", datetime(2026, 3, 30, 18, tzinfo=UTC), STOCKHOLM)
    hours = {edge.astimezone(STOCKHOLM).hour for edge in week.edges}
    assert hours == {0, 6, 12, 18}
    assert {end - start for start, end in week.bars} == {5 * HOUR, 6 * HOUR}


def test_where_hours_are_not_full_the_day_begins_at_the_full_hour_before() -> None:
    today = window("today", NOON, ZoneInfo("Asia/Kolkata"))
    assert today.since == datetime(2026, 3, 9, 18, tzinfo=UTC)
    assert len(today.bars) == 24


@pytest.mark.parametrize("name", ["", "year", "Today"])
def test_what_is_no_window_is_today(name: str) -> None:
    assert window(name, NOON, STOCKHOLM).span is Span.TODAY
