"""The audit log: who did what, when and why. For operators and admins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.answer import link, page
from dashboard.deeds import DEEDS, KINDS, address_of, told
from dashboard.desk import Desk, Visit
from dashboard.queries.audit import Deed, DeedPage, Filter, kind_of, read_actors, read_page
from orchestrator.users import Role

HERE = "/audit"
_FIELDS = ("who", "what", "subject", "since", "until")


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a list to choose from."""

    value: str
    words: str


def routes(desk: Desk) -> list[BaseRoute]:
    return [guard.page(desk, HERE, show_audit, needs=Role.OPERATOR)]


async def show_audit(visit: Visit) -> Response:
    asked = {name: visit.asked(name) for name in _FIELDS}
    which = _wanted(asked, visit.words.zone)
    found, actors = await visit.desk.parts.database.read(_read, which, visit.asked("older"))
    spoken = visit.words.language
    return page(
        visit,
        "people/audit.html",
        deeds=[
            (
                deed,
                told(deed.action, spoken),
                _subject(deed),
                _address(visit, deed.action, deed.subject),
                found.names.get((kind_of(deed.action), deed.subject), ""),
            )
            for deed in found.rows
        ],
        asked=asked,
        filtered=any(asked.values()),
        actors=_actors(visit, actors, which.actor),
        kinds=[
            (
                Choice(kind, spoken.gettext(words)),
                [Choice(action, told(action, spoken)) for action in DEEDS if action.startswith(f"{kind}.")],
            )
            for kind, words in KINDS.items()
        ],
        newest=link(HERE, **asked) if visit.asked("older") else "",
        older=link(HERE, **asked, older=found.older) if found.older else "",
    )


def _wanted(asked: dict[str, str], zone: ZoneInfo) -> Filter:
    """The filter in the address; days are the shop's, and ``until`` is the last one."""
    until = _day(asked["until"])
    return Filter(
        actor=asked["who"],
        action=asked["what"],
        subject=asked["subject"],
        since=_beginning(_day(asked["since"]), zone),
        until=_beginning(until + timedelta(days=1) if until else None, zone),
    )


def _day(text: str) -> date | None:
    """A day as browsers send it, ``2026-03-01``; None for what is none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year > 1 and day < date.max else None


def _beginning(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), zone)


def _actors(visit: Visit, actors: list[str], chosen: str) -> list[Choice]:
    """Whoever is asked for is among them, also when he is removed by now."""
    names = actors if chosen in ("", *actors) else [*actors, chosen]
    return [Choice(name, visit.words.actor(name)) for name in names]


def _address(visit: Visit, action: str, subject: str) -> str:
    return address_of(action, subject, may_administer=visit.may_administer)


def _subject(deed: Deed) -> str:
    """To what it was done; empty for what somebody did about himself."""
    return "" if deed.actor == f"operator:{deed.subject}" else deed.subject


def _read(connection: Connection, which: Filter, older: str) -> tuple[DeedPage, list[str]]:
    return read_page(connection, which, older), read_actors(connection)
