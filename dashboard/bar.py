"""What stands above the list: tabs for the states, the fields of the filter, a chip for what is set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dashboard.desk import Visit
from dashboard.filter import address, as_amount, as_local, without
from dashboard.language import mark
from dashboard.queries.purchases import Counts
from orchestrator.selection import Filter, Sort
from statemachine import Reason, State

_ATTENTION = mark("These cannot move by themselves; each says why.")
_SORTS = {
    Sort.NEWEST: mark("Newest first"),
    Sort.OLDEST: mark("Oldest first"),
    Sort.AMOUNT_HIGH: mark("Largest amount first"),
    Sort.AMOUNT_LOW: mark("Smallest amount first"),
}


@dataclass(frozen=True, slots=True)
class Tab:
    """One state above the list. ``key`` names its number in the live feed."""

    key: str
    label: str
    count: int
    address: str
    chosen: bool
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """Something that the list is narrowed by; the address is the list's without it."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a field can have."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Fields:
    """What the form of the filter shows."""

    states: tuple[Choice, ...]
    reasons: tuple[Choice, ...]
    sorts: tuple[Choice, ...]
    attention: bool
    since: str
    until: str
    low: str
    high: str
    set: int
    """How many of them are set."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading that sorts: where it leads, and which way it is sorted now (for ``aria-sort``)."""

    address: str
    order: str


def tabs(visit: Visit, which: Filter, counts: Counts) -> list[Tab]:
    """All, each state, and what needs a hand; the rest of the filter stays."""
    zone, words = visit.words.zone, visit.words
    rest = without(which, "states", "attention", "reason")
    everything = not which.states and not which.attention
    found = [Tab("all", visit.gettext("all"), counts.total, address(rest, zone), everything)]
    for state in State:
        there = address(replace(rest, states=(state.value,)), zone)
        chosen = which.states == (state.value,) and not which.attention
        number = counts.by_state[state.value]
        name, meaning = words.state_name(state.value), words.state_meaning(state.value)
        found.append(Tab(state.value, name, number, there, chosen, meaning))
    there = address(replace(rest, attention=True), zone)
    meaning = visit.gettext(_ATTENTION)
    label = visit.gettext("needs attention")
    return [*found, Tab("attention", label, counts.attention, there, which.attention, meaning)]


def chips(visit: Visit, which: Filter) -> list[Chip]:
    """What no chosen tab says."""
    return [
        Chip(label, address(without(which, *names), visit.words.zone)) for label, *names in _set(visit, which)
    ]


def fields(visit: Visit, which: Filter) -> Fields:
    """The form as it is filled in."""
    zone, words = visit.words.zone, visit.words
    inside = [name for _, *names in _set(visit, which) for name in names if name != "q"]
    return Fields(
        states=tuple(Choice(s.value, words.state_name(s.value), s.value in which.states) for s in State),
        reasons=tuple(Choice(r.value, words.reason(r.value), r.value == which.reason) for r in Reason),
        sorts=tuple(
            Choice("" if sort is Sort.NEWEST else sort.value, visit.gettext(label), sort is which.sort)
            for sort, label in _SORTS.items()
        ),
        attention=which.attention,
        since=as_local(which.since, zone),
        until=as_local(which.until, zone, ends=True),
        low=as_amount(which.low),
        high=as_amount(which.high),
        set=len(inside),
    )


def columns(visit: Visit, which: Filter) -> dict[str, Column]:
    """The headings that sort: ``age`` and ``amount``. A second click turns the order round."""
    return {
        "age": _column(visit, which, Sort.NEWEST, Sort.OLDEST),
        "amount": _column(visit, which, Sort.AMOUNT_HIGH, Sort.AMOUNT_LOW),
    }


def _column(visit: Visit, which: Filter, first: Sort, second: Sort) -> Column:
    order = {first: "descending", second: "ascending"}.get(which.sort, "none")
    turned = second if which.sort is first else first
    return Column(address(replace(which, sort=turned), visit.words.zone), order)


def _set(visit: Visit, which: Filter) -> Iterator[tuple[str, ...]]:
    """A label and the names of the fields that it stands for."""
    words = visit.words
    if which.q:
        yield visit.gettext("Found by “%(words)s”", words=which.q), "q"
    if len(which.states) > 1 or (which.states and which.attention):
        yield ", ".join(words.state_name(state) for state in which.states), "states"
    if which.reason:
        yield visit.gettext("Reason: %(reason)s", reason=words.reason(which.reason)), "reason"
    yield from _set_bounds(visit, which)
    if which.sort is not Sort.NEWEST:
        yield visit.gettext(_SORTS[which.sort]), "sort"


def _set_bounds(visit: Visit, which: Filter) -> Iterator[tuple[str, ...]]:
    words, zone = visit.words, visit.words.zone
    if which.since is not None:
        since = as_local(which.since, zone).replace("T", " ")
        yield visit.gettext("Since %(time)s", time=since), "since"
    if which.until is not None:
        until = as_local(which.until, zone, ends=True).replace("T", " ")
        yield visit.gettext("Until %(time)s", time=until), "until"
    if which.low is not None:
        yield visit.gettext("At least %(amount)s", amount=words.number(which.low)), "low"
    if which.high is not None:
        yield visit.gettext("At most %(amount)s", amount=words.number(which.high)), "high"
