"""What all pages share, and what a handler gets: the visit."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request

from dashboard.assets import Assets
from dashboard.language import LANGUAGES, Language, language, wished
from dashboard.live import Live
from dashboard.queries.people import Person
from dashboard.words import Words
from orchestrator.errors import OrchestratorError
from orchestrator.feed import Feed
from orchestrator.identity import now
from orchestrator.parts import Parts
from orchestrator.settings import Settings
from orchestrator.stamp import Stamp
from orchestrator.users import Role


@dataclass(frozen=True, slots=True)
class Speech:
    """How pages are written in one language."""

    words: Words
    templates: Environment


@dataclass(frozen=True, slots=True)
class Desk:
    """The dashboard's own parts, beside those of the orchestrator."""

    parts: Parts
    feed: Feed
    speeches: dict[str, Speech]
    live: Live


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in. ``fields`` are those of the form that was sent."""

    desk: Desk
    request: Request
    person: Person
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def language(self) -> str:
        """The code of the language to answer in."""
        return language_of(self.request, self.person)

    @property
    def words(self) -> Words:
        """Values in the visitor's language."""
        return self.desk.speeches[self.language].words

    def gettext(self, message: str, /, **values: object) -> str:
        """The text in the visitor's language, with ``%(name)s`` filled in."""
        return self.words.language.gettext(message, **values)

    def ngettext(self, one: str, many: str, number: int, /, **values: object) -> str:
        """The text for so many; ``%(num)s`` is the number."""
        return self.words.language.ngettext(one, many, number, **values)

    def say(self, error: OrchestratorError) -> str:
        """What an error says."""
        return self.words.said(error)

    @property
    def may_act(self) -> bool:
        """Whether the person may do more than look."""
        return self.person.role.covers(Role.OPERATOR)

    @property
    def may_administer(self) -> bool:
        """Whether the person may change users and tokens, and see the settings."""
        return self.person.role.covers(Role.ADMIN)

    @property
    def stamp(self) -> Stamp:
        """The person, now: what every written change bears."""
        return Stamp(self.actor, now())

    @property
    def address(self) -> str:
        """The network address that the request came from."""
        return self.request.client.host if self.request.client else ""

    @property
    def actor(self) -> str:
        """The person as the journal names him."""
        return f"operator:{self.person.name}"

    @property
    def mails_go_out(self) -> bool:
        """Whether there is a mail server; without one, mails are only kept."""
        return self.desk.parts.settings.smtp_url is not None

    def asked(self, name: str) -> str:
        """A parameter of the address, without control characters; empty when it is not there."""
        return clean(self.request.query_params.get(name, ""))

    def part(self, name: str) -> str:
        """A part of the path."""
        return clean(str(self.request.path_params[name]))


def clean(text: str) -> str:
    """The text without what no name or reference has: control characters, space around it."""
    return "".join(character for character in text if character.isprintable()).strip()


def language_of(request: Request, person: Person | None = None) -> str:
    """The code of the language to answer in: the person's choice, the session's, the browser's wish."""
    chosen = (person.language if person else None) or request.session.get("language")
    return chosen if chosen in LANGUAGES else wished(request.headers.get("accept-language", ""))


def open_desk(parts: Parts, feed: Feed, assets: Assets) -> Desk:
    """Set up the templates in each language; each is compiled when it is first used."""
    speeches = {code: _speech(parts.settings, assets, language(code)) for code in LANGUAGES}
    templates = {code: speech.templates for code, speech in speeches.items()}
    live = Live(parts.database, templates)
    feed.prepare = live.prepare
    return Desk(parts, feed, speeches, live)


def _speech(settings: Settings, assets: Assets, spoken: Language) -> Speech:
    words = Words(spoken, settings.money_locale, settings.zone)
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.install_gettext_callables(spoken.lookup, spoken.lookup_plural, newstyle=True)  # type: ignore[attr-defined]
    templates.policies["ext.i18n.trimmed"] = True
    templates.filters |= words.filters
    templates.globals |= {
        "asset": assets.address,
        "shop": settings.shop_name,
        "mails_go_out": settings.smtp_url is not None,
        "language": spoken.code,
        "languages": LANGUAGES,
    }
    return Speech(words, templates)
