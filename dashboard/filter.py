"""The list's filter as it stands in an address, and back.

========== ===================================================================================
parameter  value
========== ===================================================================================
state      a state; comes again for each further one, or several with commas between them
reason     why it failed, such as ``expired``
attention  ``1``: only what needs a hand
since      a day or a time in the shop's zone: ``2026-03-01``, ``2026-03-01T14:30``
until      the same; a day is meant with its end, a time up to just before it
min, max   amounts, both included
q          what to search for
sort       ``newest`` (as without), ``oldest``, ``amount-high``, ``amount-low``
========== ===================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from urllib.parse import urlencode

from dashboard.desk import Visit, clean
from dashboard.language import mark
from orchestrator.selection import Filter, Sort
from statemachine import Reason, State

LIST = "/purchases"
LONGEST_SEARCH = 200
NAMES = ("state", "reason", "attention", "since", "until", "min", "max", "q", "sort")
"""The parameters that a filter has."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_LARGEST = Decimal(10) ** 12

_NO_STATE = mark("There is no state “%(value)s”.")
_NO_REASON = mark("There is no reason “%(value)s”.")
_NO_TIME = mark("“%(value)s” is no date or time; write it like 2026-03-01 or 2026-03-01T14:30.")
_NO_AMOUNT = mark("“%(value)s” is no amount; write it like 149 or 149.50.")
_NO_SORT = mark("There is no order “%(value)s”.")
_NO_ATTENTION = mark("attention can only be 1, not “%(value)s”.")
_TURNED_TIMES = mark("The list ends before it begins: “until” is before “since”.")
_TURNED_AMOUNTS = mark("The largest amount is below the smallest.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an address asks for. ``problems`` says, in words, what of it made no sense and was left out."""

    filter: Filter
    problems: tuple[str, ...] = ()


def parse(visit: Visit) -> Wanted:
    """The filter in the visit's address (also that of a form sent by GET)."""
    reader = _Reader(visit, visit.desk.parts.settings.zone)
    found = Filter(
        states=tuple(reader.states()),
        reason=reader.one_of("reason", {reason.value for reason in Reason}, _NO_REASON),
        attention=reader.one_of("attention", {"1"}, _NO_ATTENTION) == "1",
        since=reader.moment("since"),
        until=reader.moment("until", ends=True),
        low=reader.amount("min"),
        high=reader.amount("max"),
        q=visit.asked("q")[:LONGEST_SEARCH],
        sort=Sort(reader.one_of("sort", {sort.value for sort in Sort}, _NO_SORT) or Sort.NEWEST),
    )
    if found.since and found.until and found.until <= found.since:
        reader.note(_TURNED_TIMES)
    if found.low is not None and found.high is not None and found.high < found.low:
        reader.note(_TURNED_AMOUNTS)
    return Wanted(found, tuple(reader.problems))


def address(which: Filter, zone: tzinfo, path: str = LIST, **more: str) -> str:
    """The address that shows the purchases of ``which``; ``more`` are further parameters, unless empty."""
    pairs = [*parameters(which, zone), *((name, value) for name, value in more.items() if value)]
    return f"{path}?{urlencode(pairs, safe=':,')}" if pairs else path


def parameters(which: Filter, zone: tzinfo) -> list[tuple[str, str]]:
    """The filter as names and values, for an address or the hidden fields of a form."""
    times = {"since": as_local(which.since, zone), "until": as_local(which.until, zone, ends=True)}
    amounts = {"min": as_amount(which.low), "max": as_amount(which.high)}
    fields = {
        "state": ",".join(which.states),
        "reason": which.reason,
        "attention": "1" if which.attention else "",
        **times,
        **amounts,
        "q": which.q,
        "sort": "" if which.sort is Sort.NEWEST else which.sort.value,
    }
    return [(name, value) for name, value in fields.items() if value]


def without(which: Filter, *names: str) -> Filter:
    """The filter without those fields."""
    empty = Filter()
    return replace(which, **{name: getattr(empty, name) for name in names})


def as_local(at: datetime | None, zone: tzinfo, *, ends: bool = False) -> str:
    """A bound as people write it: a day where it is one, else a time in the zone."""
    if at is None:
        return ""
    local = at.astimezone(zone)
    if local.time() == time() and local.utcoffset() == _at_midnight(local, zone).utcoffset():
        return f"{local.date() - timedelta(days=1) if ends else local.date()}"
    told = local.replace(tzinfo=None).isoformat(timespec="auto" if local.second else "minutes")
    if local.replace(fold=0).utcoffset() != local.utcoffset():  # the hour that comes twice in autumn
        return local.isoformat(timespec="seconds")
    return told


def as_amount(amount: Decimal | None) -> str:
    """``149``, ``149.50``; empty for none."""
    if amount is None:
        return ""
    whole = amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount
    return f"{whole:f}"


def _at_midnight(local: datetime, zone: tzinfo) -> datetime:
    return datetime.combine(local.date(), time(), zone)


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # an unescaped + reads as a space: 2026-03-01T12:00 01:00
        return datetime.fromisoformat(text.replace(" ", "+"))


class _Reader:
    """Takes parameters one by one and keeps what was wrong with them."""

    def __init__(self, visit: Visit, zone: tzinfo) -> None:
        self._visit = visit
        self._zone = zone
        self.problems: list[str] = []

    def note(self, problem: str, value: str = "") -> None:
        self.problems.append(
            self._visit.gettext(problem, value=value[:40]) if value else self._visit.gettext(problem)
        )

    def states(self) -> Iterator[str]:
        """In the order of the machine, each once."""
        given = self._visit.request.query_params.getlist("state")
        names = {clean(name) for value in given for name in value.split(",")} - {""}
        for unknown in sorted(names - set(State)):
            self.note(_NO_STATE, unknown)
        yield from (state.value for state in State if state.value in names)

    def one_of(self, name: str, known: set[str], problem: str) -> str:
        value = self._visit.asked(name)
        if value and value not in known:
            self.note(problem, value)
            return ""
        return value

    def amount(self, name: str) -> Decimal | None:
        text = self._visit.asked(name)
        if not text:
            return None
        try:
            value = Decimal("".join(text.split()).replace(",", "."))
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or not 0 <= value <= _LARGEST or value != round(value, 4):
            self.note(_NO_AMOUNT, text)
            return None
        return value

    def moment(self, name: str, *, ends: bool = False) -> datetime | None:
        """A day's beginning, or with ``ends`` the beginning of the next."""
        text = self._visit.asked(name)
        if not text:
            return None
        try:
            found = _parsed(text)
            if ends and _DAY.fullmatch(text):
                found += timedelta(days=1)
            local = found.replace(tzinfo=self._zone) if found.tzinfo is None else found
            return local.astimezone(self._zone)
        except (ValueError, OverflowError):
            self.note(_NO_TIME, text)
            return None
