"""The times that the overview looks back on: from which hour, and how they are cut into bars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from orchestrator.tally import hour_of

_HOUR = timedelta(hours=1)
_DAY_HOURS = 24
_WEEK_DAYS = 7
_QUARTERS = (0, 6, 12, 18)
"""The hours of a day at which a week's bars begin."""


class Span(StrEnum):
    """How far back, as the address names it."""

    TODAY = "today"
    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class Window:
    """From the first edge until now. The edges are full hours: between two of them stands a bar.

    Where the shop's clock is not a number of whole hours from UTC, its days begin at the full hour before.
    """

    span: Span
    at: datetime
    """Now."""
    edges: tuple[datetime, ...]

    @property
    def since(self) -> datetime:
        return self.edges[0]

    @property
    def bars(self) -> tuple[tuple[datetime, datetime], ...]:
        """Beginning and end of each; the last may lie ahead."""
        return tuple(zip(self.edges, self.edges[1:], strict=False))


def window(name: str, at: datetime, zone: tzinfo) -> Window:
    """The window with this name, today for one that there is not; days are those of ``zone``."""
    span = Span(name) if name in set(Span) else Span.TODAY
    today = at.astimezone(zone).date()
    if span is Span.TODAY:
        return Window(span, at, _hours(_midnight(today, zone), _midnight(today + timedelta(days=1), zone)))
    if span is Span.DAY:
        end = hour_of(at) + _HOUR
        return Window(span, at, _hours(end - _DAY_HOURS * _HOUR, end))
    days = [today + timedelta(days=number) for number in range(1 - _WEEK_DAYS, 1)]
    edges = [_clock(day, hour, zone) for day in days for hour in _QUARTERS]
    return Window(span, at, (*edges, _midnight(today + timedelta(days=1), zone)))


def _hours(start: datetime, end: datetime) -> tuple[datetime, ...]:
    return tuple(start + number * _HOUR for number in range((end - start) // _HOUR + 1))


def _midnight(day: date, zone: tzinfo) -> datetime:
    return _clock(day, 0, zone)


def _clock(day: date, hour: int, zone: tzinfo) -> datetime:
    return hour_of(datetime.combine(day, time(hour), zone))
