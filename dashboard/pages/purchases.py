"""The list of purchases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from dashboard import bar, guard
from dashboard.answer import is_fragment, page
from dashboard.desk import Desk, Visit
from dashboard.filter import LIST, Wanted, address, parameters, parse
from dashboard.queries.purchases import Counts, PurchasePage, count, read_page
from orchestrator.listing import Place
from orchestrator.selection import Filter, Sort


def routes(desk: Desk) -> list[BaseRoute]:
    return [guard.page(desk, LIST, show_list)]


async def show_list(visit: Visit) -> Response:
    asked, place = parse(visit), _place(visit)
    here = address(asked.filter, visit.words.zone)
    if not asked.problems and _has_empty_parts(visit):
        return RedirectResponse(_on(visit, asked.filter, place), 303)
    # The position comes first: what happens while the list is read is then told twice, not never.
    position = await visit.desk.feed.position()
    found, counts = await visit.desk.parts.database.read(_read, asked.filter, place)
    answer = page(visit, "purchases/list.html", **_shown(visit, asked, place, found, counts, position))
    if is_fragment(visit.request):
        answer.headers["HX-Replace-Url"] = here
    return answer


def wanted(visit: Visit) -> Filter:
    """The filter in the address; what of it makes no sense is left out."""
    return parse(visit).filter


def _shown(
    visit: Visit, asked: Wanted, place: Place | None, found: PurchasePage, counts: Counts, position: str
) -> dict[str, Any]:
    which, zone = asked.filter, visit.words.zone
    return {
        "which": which,
        "problems": asked.problems,
        "found": found,
        "total": counts.total,
        "tabs": bar.tabs(visit, which, counts),
        "chips": bar.chips(visit, which),
        "fields": bar.fields(visit, which),
        "columns": bar.columns(visit, which),
        "at_beginning": place is None,
        "by_amount": which.sort.by_amount,
        "earlier": address(which, zone, before=found.before) if found.before else "",
        "later": address(which, zone, after=found.after) if found.after else "",
        "here": address(which, zone),
        "nothing": address(Filter(), zone),
        "export": address(which, zone, "/purchases.csv"),
        "stream": _stream(visit, which, place, found, position),
    }


def _read(connection: Connection, which: Filter, place: Place | None) -> tuple[PurchasePage, Counts]:
    found = read_page(connection, which, place)
    if not found.rows and place is not None and place.backwards:
        found = read_page(connection, which)  # what stood there is gone: the list's beginning instead
    return found, count(connection)


def _place(visit: Visit) -> Place | None:
    if visit.asked("before"):
        return Place(visit.asked("before"), backwards=True)
    return Place(visit.asked("after")) if visit.asked("after") else None


def _on(visit: Visit, which: Filter, place: Place | None) -> str:
    parts = {} if place is None else {"before" if place.backwards else "after": place.id}
    return address(which, visit.words.zone, **parts)


def _has_empty_parts(visit: Visit) -> bool:
    """A form without scripts sends every field; the address that people share has only what counts."""
    return not is_fragment(visit.request) and "" in visit.request.query_params.values()


def _stream(visit: Visit, which: Filter, place: Place | None, found: PurchasePage, position: str) -> str:
    """Arrivals are told only at the top of the list, where they would stand."""
    at_top = place is None or (place.backwards and not found.before)
    arrivals = "1" if at_top and which.sort is Sort.NEWEST else ""
    pairs = dict(parameters(replace(which, sort=Sort.NEWEST), visit.words.zone))
    return address(
        Filter(), visit.words.zone, "/events", page="purchases", after=position, arrivals=arrivals, **pairs
    )
