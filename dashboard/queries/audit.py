"""The audit log, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, tuple_

from orchestrator.tables import api_tokens, audit, products, purchases, users

PAGE = 50

_C = audit.c
_SHOWN = (_C.id, _C.at, _C.actor, _C.action, _C.subject, _C.detail, _C.address)


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody did something."""

    id: str
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str
    address: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Which deeds; what is empty lets all in.

    ``action`` is one, or the part before its dot for all of that kind. ``until`` is the first moment that is
    too late.
    """

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeedPage:
    """Newest first; ``older`` is the id to go on from, empty at the end."""

    rows: tuple[Deed, ...]
    older: str
    names: Mapping[tuple[str, str], str]
    """By the kind of what it was done to and its id: the customer's name, or the product's."""


def read_page(connection: Connection, which: Filter, older: str = "", size: int = PAGE) -> DeedPage:
    """One page, below the deed with the id ``older``: as quick far down as at the top."""
    statement = select(*_SHOWN).where(*_conditions(which)).limit(size + 1)
    if older:
        place = select(_C.at, _C.id).where(_C.id == older).scalar_subquery()
        statement = statement.where(tuple_(_C.at, _C.id) < place)
    rows = [Deed(*row) for row in connection.execute(statement.order_by(_C.at.desc(), _C.id.desc()))]
    shown = tuple(rows[:size])
    return DeedPage(shown, shown[-1].id if len(rows) > size else "", _names(connection, shown))


def _names(connection: Connection, deeds: Iterable[Deed]) -> dict[tuple[str, str], str]:
    subjects: dict[str, set[str]] = {"purchase": set(), "product": set()}
    for deed in deeds:
        subjects.get(kind_of(deed.action), set()).add(deed.subject)
    buyers = select(purchases.c.id, purchases.c.customer_name).where(purchases.c.id.in_(subjects["purchase"]))
    titles = select(products.c.token, products.c.title).where(products.c.token.in_(subjects["product"]))
    return {
        (kind, id_): name
        for kind, statement in (("purchase", buyers), ("product", titles))
        for id_, name in (connection.execute(statement) if subjects[kind] else ())
    }


def kind_of(action: str) -> str:
    """What an action is done to; stock is a product's."""
    kind = action.partition(".")[0]
    return "product" if kind == "stock" else kind


def read_actors(connection: Connection) -> list[str]:
    """Who may have done something: the users and API tokens that there are, and the command line."""
    names = connection.execute(select(users.c.name).order_by(users.c.name)).scalars()
    tokens = connection.execute(select(api_tokens.c.name).distinct().order_by(api_tokens.c.name)).scalars()
    return [*(f"operator:{name}" for name in names), "cli", *(f"api:{name}" for name in tokens)]


def _conditions(which: Filter) -> Iterator[ColumnElement[bool]]:
    if which.actor:
        yield _C.actor == which.actor
    if "." in which.action:
        yield _C.action == which.action
    elif which.action:
        yield _C.action.startswith(f"{which.action}.", autoescape=True)
    if which.subject:
        yield _C.subject == which.subject
    if which.since is not None:
        yield _C.at >= which.since
    if which.until is not None:
        yield _C.at < which.until
