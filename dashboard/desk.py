"""What all pages share, and what a handler gets: the visit."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request

from dashboard import words
from dashboard.assets import Assets
from dashboard.live import Live
from dashboard.queries.people import Person
from orchestrator.feed import Feed
from orchestrator.parts import Parts
from orchestrator.users import Role

_FILTERS = (
    words.money,
    words.age,
    words.exact,
    words.clock,
    words.duration,
    words.percent,
    words.signed,
    words.state_meaning,
    words.reason,
    words.reason_meaning,
    words.actor,
    words.mail_kind,
    words.operation,
    words.trigger,
    words.movement,
)


@dataclass(frozen=True, slots=True)
class Desk:
    """The dashboard's own parts, beside those of the orchestrator."""

    parts: Parts
    feed: Feed
    templates: Environment
    live: Live


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in. ``fields`` are those of the form that was sent."""

    desk: Desk
    request: Request
    person: Person
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def may_act(self) -> bool:
        """Whether the person may do more than look."""
        return self.person.role.covers(Role.OPERATOR)

    @property
    def actor(self) -> str:
        """The person as the journal names him."""
        return f"operator:{self.person.name}"

    def asked(self, name: str) -> str:
        """A parameter of the address, without control characters; empty when it is not there."""
        return clean(self.request.query_params.get(name, ""))

    def part(self, name: str) -> str:
        """A part of the path."""
        return clean(str(self.request.path_params[name]))


def clean(text: str) -> str:
    """The text without what no name or reference has: control characters, space around it."""
    return "".join(character for character in text if character.isprintable()).strip()


def open_desk(parts: Parts, feed: Feed, assets: Assets) -> Desk:
    """Set up the templates; each is compiled when it is first used."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {filter_.__name__: filter_ for filter_ in _FILTERS}
    templates.globals |= {"asset": assets.address, "shop": parts.settings.shop_name}
    return Desk(parts, feed, templates, Live(parts.database, templates))
