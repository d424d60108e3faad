"""The list of purchases."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.answer import link, page
from dashboard.desk import Desk, Visit
from dashboard.queries.purchases import Counts, Filter, Place, PurchasePage, count, read_page
from statemachine import MEANINGS, State

LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Tab:
    """One filter above the list. ``key`` names its number in the live feed."""

    key: str
    label: str
    count: int
    address: str
    chosen: bool
    meaning: str = ""


def routes(desk: Desk) -> list[BaseRoute]:
    return [guard.page(desk, "/purchases", show_list)]


async def show_list(visit: Visit) -> Response:
    which = wanted(visit)
    place = Place(older=visit.asked("older"), newer=visit.asked("newer"))
    # The position comes first: what happens while the list is read is then told twice, not never.
    position = await visit.desk.feed.position()
    found, counts = await visit.desk.parts.database.read(_read, which, place)
    return page(
        visit,
        "purchases/list.html",
        which=which,
        found=found,
        total=counts.total,
        tabs=_tabs(which, counts),
        older=_address(which, older=found.older) if found.older else "",
        newer=_address(which, newer=found.newer) if found.newer else "",
        here=_address(which),
        stream=_stream(which, place, found, position),
    )


def wanted(visit: Visit) -> Filter:
    """The filter in the address; a state that does not exist is none."""
    state = visit.asked("state")
    return Filter(
        state=state if state in set(State) else "",
        attention=visit.asked("attention") == "1",
        q=visit.asked("q")[:LONGEST_SEARCH],
    )


def _read(connection: Connection, which: Filter, place: Place) -> tuple[PurchasePage, Counts]:
    return read_page(connection, which, place), count(connection)


def _tabs(which: Filter, counts: Counts) -> list[Tab]:
    everything = Filter(q=which.q)
    tabs = [Tab("all", "all", counts.total, _address(everything), which == everything)]
    for state, meaning in MEANINGS.items():
        address = _address(Filter(state=state.value, q=which.q))
        chosen = which.state == state.value and not which.attention
        tabs.append(Tab(state.value, state.value, counts.by_state[state.value], address, chosen, meaning))
    attention = Filter(attention=True, q=which.q)
    why = "These cannot move by themselves; each says why."
    tabs.append(
        Tab("attention", "needs attention", counts.attention, _address(attention), which.attention, why)
    )
    return tabs


def _address(which: Filter, **place: str) -> str:
    attention = "1" if which.attention else ""
    return link("/purchases", state=which.state, attention=attention, q=which.q, **place)


def _stream(which: Filter, place: Place, found: PurchasePage, position: str) -> str:
    """Arrivals are told only at the top of the list, where they would stand."""
    at_top = not place.older and not found.newer
    attention = "1" if which.attention else ""
    arrivals = "1" if at_top and not which.q else ""
    return link(
        "/events", page="purchases", after=position, state=which.state, attention=attention, arrivals=arrivals
    )
