"""What somebody at the dashboard asks for: pages by name, with the worst mixtures of filters that we know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from orchestrator.identity import first_id

LIST_TARGET, SEARCH_TARGET = 200.0, 300.0
"""Milliseconds, at the 95th percentile."""


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of page: its addresses, asked for in turn, and how soon it should answer (ms)."""

    name: str
    paths: tuple[str, ...]
    target: float = LIST_TARGET


def made_at(purchase_id: str) -> datetime:
    """When a purchase was made, from its id."""
    return datetime.fromtimestamp(int(purchase_id[:8] + purchase_id[9:13], 16) / 1000, UTC)


def cases(newest: str, dear: str) -> Iterator[Case]:
    """All of them. ``newest`` is the id of the newest purchase, ``dear`` of one in the middle by amount."""
    end = made_at(newest)
    yield Case("overview", ("/", "/?window=day", "/?window=week"))
    yield Case("one purchase", (f"/purchases/{newest}", f"/purchases/{dear}"))
    yield from _filters(end)
    yield from _depths(end, dear)
    yield from _mixtures(end)
    yield from _searches()


def _filters(end: datetime) -> Iterator[Case]:
    day, month = end - timedelta(days=1), end - timedelta(days=130)
    yield _list("list", {})
    states = ("received", "invoiced", "paid", "stocked", "failed", "received,invoiced")
    yield _list("list by state", *({"state": state} for state in states))
    yield _list("list by reason", {"reason": "expired"}, {"reason": "cancelled_by_merchant"})
    yield _list("list by attention", {"attention": "1"})
    yield _list(
        "list by time",
        {"since": _time(day)},
        {"since": _time(month), "until": _time(month + timedelta(days=9))},
    )
    yield _list("list by amount", {"min": "1500"}, {"min": "100", "max": "110"}, {"min": "100000"})
    sorts = ("oldest", "amount-high", "amount-low")
    yield _list("list sorted", *({"sort": sort} for sort in sorts))


def _depths(end: datetime, dear: str) -> Iterator[Case]:
    places = [first_id(end - timedelta(days=days)) for days in (1, 90, 180, 360)]
    yield _list(
        "deep page", *({"after": place} for place in places), *({"before": place} for place in places)
    )
    yield _list("deep page by state", *({"state": "failed", "after": place} for place in places))
    yield _list(
        "deep page by amount", {"sort": "amount-high", "after": dear}, {"sort": "amount-low", "before": dear}
    )


def _mixtures(end: datetime) -> Iterator[Case]:
    month = {"since": _time(end - timedelta(days=130)), "until": _time(end - timedelta(days=100))}
    old = {"until": _time(end - timedelta(days=5))}
    yield _list(
        "filters together",
        {"state": "failed", "min": "1500"},
        {"state": "failed", "min": "1000", **month},
        {"state": "failed", "sort": "amount-high", **month},
        {"state": "invoiced,paid,failed", "max": "25", "sort": "oldest"},
        {"reason": "expired", "min": "1000", "sort": "oldest"},
        {"sort": "amount-low", **month},
        {"state": "received,invoiced", "sort": "oldest"},
    )
    yield _list(
        "filters with no match",
        {"state": "invoiced", **old},
        {"state": "received,invoiced", "min": "10", "sort": "amount-high", **old},
        {"state": "stocked", "reason": "expired"},
        {"state": "stocked", "attention": "1"},
    )


def _searches() -> Iterator[Case]:
    yield _search("search, rare", "zeynep hogvall", "anna.andersson17", "1000123456", "070 123 45")
    yield _search("search, common", "anna", "sven", "andersson erik", "gmail", "a", "mug", "+46 70")
    yield _search("search, none", "qqqqq", "anna qqqqq", "0000")
    yield _search("search, two names of nobody", "anna zeynep", "erik maria")
    mixed = (
        {"q": "anna", "state": "failed", "min": "1500"},
        {"q": "anna", "state": "received"},
        {"q": "andersson", "state": "failed", "min": "1000", "sort": "oldest"},
        {"q": "zeynep", "state": "failed", "sort": "amount-high"},
        {"q": "gmail", "state": "received,invoiced", "sort": "oldest"},
    )
    yield Case("search and filters", tuple(map(_address, mixed)), SEARCH_TARGET)


def _list(name: str, *filters: dict[str, str]) -> Case:
    return Case(name, tuple(map(_address, filters)))


def _search(name: str, *texts: str) -> Case:
    return Case(name, tuple(_address({"q": text}) for text in texts), SEARCH_TARGET)


def _address(parameters: dict[str, str]) -> str:
    return f"/purchases?{urlencode(parameters)}" if parameters else "/purchases"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
