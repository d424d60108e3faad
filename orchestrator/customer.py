"""One customer, by phone number or mail address: what is kept of them, and erasing it on their request.

A customer is nobody's account: purchases of the same phone number or the same mail address are taken for the
same customer's. Who acts sees the names first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select, update

from orchestrator import audit, erasure, mention, search
from orchestrator.errors import OrchestratorError
from orchestrator.money import Money
from orchestrator.portions import portions
from orchestrator.search import digits
from orchestrator.stamp import Stamp
from orchestrator.tables import bulk_runs, outbox, purchases, search_terms
from statemachine import State

_C = purchases.c
_FINISHED = (State.STOCKED.value, State.FAILED.value)
_SHORTEST_PHONE = 7
"""Digits that two phone numbers must have in common at their ends, if one lacks the country code."""
_COLUMNS = [
    _C[name]
    for name in (
        *("id", "state", "reason", "attention", "next_check_at", "title", "amount", "currency", "created_at"),
        *("customer_name", "customer_email", "customer_msisdn"),
    )
]


class NobodyNamed(OrchestratorError):
    """Say who: a phone number of at least 7 digits, a mail address, or both."""

    code = "nobody_named"


class HoldingsChanged(OrchestratorError):
    """The customer's purchases have changed since they were looked at. Nothing was erased: look again."""

    code = "holdings_changed"


class Hindrance(StrEnum):
    """Why a purchase keeps its customer for now."""

    OPEN = "open"
    """It is neither stocked nor failed."""
    ATTENTION = "attention"
    """Somebody has to look at it."""
    ASKED = "asked"
    """SEQR is still asked about it."""
    MAIL = "mail"
    """A mail of it has not gone out yet."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose purchases: those with this phone number and those with this mail address."""

    phone: str = ""
    email: str = ""

    def __post_init__(self) -> None:
        """Raises NobodyNamed."""
        if not (self.phone or self.email) or (self.phone and len(digits(self.phone)) < _SHORTEST_PHONE):
            raise NobodyNamed

    def finds(self, email: str, msisdn: str) -> bool:
        """Whether a purchase with these is the customer's."""
        same_mail = self.email != "" and email.strip().casefold() == self.email.strip().casefold()
        return same_mail or same_phone(self.phone, msisdn)

    def terms(self) -> list[str]:
        """What the purchases are looked up by."""
        return list(dict.fromkeys(self._terms()))

    def _terms(self) -> Iterator[str]:
        if self.email:
            yield search.fold(self.email).strip()[: search.LONGEST_TERM]
        if self.phone:
            yield from search.terms("", "", self.phone)
            yield digits(self.phone).lstrip("0")


@dataclass(frozen=True, slots=True)
class Holding:
    """A purchase that tells who bought it; ``hindrance`` is why it has to go on doing so, if it has."""

    id: str
    state: str
    reason: str | None
    title: str
    amount: Money
    created_at: datetime
    name: str
    email: str
    msisdn: str
    hindrance: Hindrance | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """What is kept of a customer, oldest first. ``mentions`` counts the notes and reasons that seem to name
    them: those are in the books, which nobody can change."""

    erasable: tuple[Holding, ...] = ()
    left: tuple[Holding, ...] = ()
    mentions: int = 0
    names: tuple[str, ...] = field(default=())

    @property
    def number(self) -> int:
        """How many purchases tell of the customer."""
        return len(self.erasable) + len(self.left)

    @property
    def fingerprint(self) -> str:
        """Another one when other purchases can be erased: what somebody saw, in short."""
        return hashlib.sha256(" ".join(holding.id for holding in self.erasable).encode()).hexdigest()


def read(connection: Connection, wanted: Wanted) -> Holdings:
    """What is kept of the customer."""
    return _sorted(connection, _holdings(connection, _ids(connection, wanted), wanted))


def erase(
    connection: Connection,
    wanted: Wanted,
    stamp: Stamp,
    address: str = "",
    seen: str | None = None,
) -> Holdings:
    """Erase the customer from the purchases that are finished; returns what was there before.

    ``seen`` is the fingerprint of what somebody has looked at; None for whatever there is.

    Raises:
        HoldingsChanged: there are others now.
    """
    ids = _ids(connection, wanted)
    for some in portions(ids):
        connection.execute(
            select(_C.id).where(_C.id.in_(some)).order_by(_C.id).with_for_update(key_share=True)
        )
    found = _sorted(connection, _holdings(connection, ids, wanted))
    if seen is not None and seen != found.fingerprint:
        raise HoldingsChanged
    erasable = [holding.id for holding in found.erasable]
    if not erasable:
        return found
    _forget_searches(connection, found.erasable)
    for some in portions(erasable):
        erasure.blank(connection, some, stamp.at)
    detail = f"{len(erasable)} erased, {len(found.left)} left"
    audit.record(connection, stamp, "customer.erase", "", detail, address)
    return found


def same_phone(one: str, other: str) -> bool:
    """Whether two ways to write a phone number are the same number; one may lack the country code."""
    short, long = sorted((digits(one).lstrip("0"), digits(other).lstrip("0")), key=len)
    return len(short) >= _SHORTEST_PHONE and long.endswith(short)


def _ids(connection: Connection, wanted: Wanted) -> list[str]:
    statement = (
        select(_C.id, _C.customer_email, _C.customer_msisdn)
        .join(search_terms, search_terms.c.purchase_id == _C.id)
        .where(search_terms.c.term.in_(wanted.terms()))
        .order_by(_C.id)
    )
    rows = connection.execute(statement)
    return list(dict.fromkeys(row[0] for row in rows if wanted.finds(row[1], row[2])))


def _holdings(connection: Connection, ids: Sequence[str], wanted: Wanted) -> list[Holding]:
    found: list[Holding] = []
    for some in portions(ids):
        mails = select(outbox.c.purchase_id).where(outbox.c.purchase_id.in_(some), outbox.c.state == "queued")
        waiting = set(connection.execute(mails).scalars())
        rows = connection.execute(select(*_COLUMNS).where(_C.id.in_(some)).order_by(_C.id))
        found += [
            _holding(row, row.id in waiting)
            for row in rows
            if wanted.finds(row.customer_email, row.customer_msisdn)
        ]
    return found


def _holding(row: Row[Any], mail_waits: bool) -> Holding:
    return Holding(
        row.id,
        row.state,
        row.reason,
        row.title,
        Money(row.amount, row.currency),
        row.created_at,
        row.customer_name,
        row.customer_email,
        row.customer_msisdn,
        _hindrance(row, mail_waits),
    )


def _hindrance(row: Row[Any], mail_waits: bool) -> Hindrance | None:
    if row.state not in _FINISHED:
        return Hindrance.OPEN
    if row.attention is not None:
        return Hindrance.ATTENTION
    if row.next_check_at is not None:
        return Hindrance.ASKED
    return Hindrance.MAIL if mail_waits else None


def _sorted(connection: Connection, found: Sequence[Holding]) -> Holdings:
    ids = [holding.id for holding in found]
    people = {(holding.name, holding.email, holding.msisdn) for holding in found}
    return Holdings(
        tuple(holding for holding in found if holding.hindrance is None),
        tuple(holding for holding in found if holding.hindrance is not None),
        mention.count(connection, ids, people),
        tuple(dict.fromkeys(holding.name for holding in found)),
    )


def _forget_searches(connection: Connection, erased: Sequence[Holding]) -> None:
    """Bulk runs whose purchases were chosen by words that find the customer forget the words."""
    terms = {term for holding in erased for term in search.terms(holding.name, holding.email, holding.msisdn)}
    runs = bulk_runs.c
    chosen = select(runs.id, runs.selection).where(runs.selection.contains("q="))
    for run_id, selection in connection.execute(chosen).all():
        if any(term.startswith(word) for word in search.words_in(selection) for term in terms):
            forgotten = search.without_words(selection)
            connection.execute(update(bulk_runs).where(runs.id == run_id).values(selection=forgotten))
