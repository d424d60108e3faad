"""The lock-out: whoever gets a password wrong too often has to wait.

What counts are the failures of the last ``WINDOW``: those for one name from one address, those for one name,
those from one address. An attempt counts as a failure from its beginning until it turns out right, so
guesses that come at once are counted like those that come one by one, in every process.

A stranger who fails on purpose must not keep somebody out: where a name signed in lately, only what went
wrong at that address counts, not what others do with the name elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from orchestrator.errors import OrchestratorError
from orchestrator.identity import new_id
from orchestrator.tables import audit, sign_in_failures

WINDOW = timedelta(minutes=15)
MOST_OF_NAME_AND_ADDRESS = 5
MOST_OF_NAME = 20
MOST_OF_ADDRESS = 20
KNOWN = timedelta(days=30)
"""For so long an address is known by a sign-in that was right."""

_BITE = 1000
_LONGEST = 64
_IPV6_NETWORK = 64
"""Bits. Who has one IPv6 address has all that begin so."""
_C = sign_in_failures.c


class LockedOut(OrchestratorError):
    """Too many sign-ins went wrong: wait, then try again.

    Attributes:
        minutes: how long, rounded up.
    """

    code = "locked_out"
    retryable = True

    def __init__(self, minutes: int) -> None:
        super().__init__(f"Too many sign-ins went wrong. Try again in {minutes} min.")
        self.minutes = minutes


def admit(connection: Connection, name: str, address: str, at: datetime) -> str:
    """Count an attempt; returns its id. Raises LockedOut for one too many, which is not counted."""
    name, address = _folded(name), network(address)
    _queue_up(connection, name, address)
    until = max(_locked_until(connection, name, address, at), default=None)
    if until is not None:
        raise LockedOut(-((at - until) // timedelta(minutes=1)))
    attempt_id = new_id()
    row = {"id": attempt_id, "name": name, "address": address, "at": at}
    connection.execute(insert(sign_in_failures).values(row))
    return attempt_id


def is_locked(connection: Connection, name: str, address: str, at: datetime) -> bool:
    """Whether the next attempt would be refused."""
    return any(_locked_until(connection, _folded(name), network(address), at))


def clear(connection: Connection, attempt_id: str, name: str, address: str) -> None:
    """The attempt was right: nothing is held against that name at that address any more."""
    same = (_C.name == _folded(name)) & (_C.address == network(address))
    connection.execute(delete(sign_in_failures).where(same | (_C.id == attempt_id)))


def forget(connection: Connection, name: str) -> int:
    """Hold nothing against a name any more; returns how many failures there were."""
    return connection.execute(delete(sign_in_failures).where(_C.name == _folded(name))).rowcount


def prune(connection: Connection, at: datetime) -> int:
    """Forget failures that count no more, a bite at a time; returns how many."""
    old = select(_C.id).where(_C.at <= at - WINDOW).limit(_BITE)
    return connection.execute(delete(sign_in_failures).where(_C.id.in_(old))).rowcount


def network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the network of an IPv6 address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:_LONGEST]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> _IPV6_NETWORK << _IPV6_NETWORK)}/{_IPV6_NETWORK}"


def _folded(name: str) -> str:
    """As at the sign-in, case does not count: else each way to write a name had guesses of its own."""
    return name[:_LONGEST].lower()


def _locked_until(connection: Connection, name: str, address: str, at: datetime) -> Iterator[datetime]:
    """For each limit that is reached: when the failure that reaches it counts no more."""
    of_name, of_address = _C.name == name, _C.address == address
    limits = (
        (of_name & of_address, MOST_OF_NAME_AND_ADDRESS),
        (of_name, MOST_OF_NAME),
        (of_address, MOST_OF_ADDRESS),
    )
    for which, most in limits:
        reached = _nth_last(connection, which, most, at)
        if reached is None or (which is of_name and _is_known(connection, name, address, at)):
            continue
        yield reached + WINDOW


def _is_known(connection: Connection, name: str, address: str, at: datetime) -> bool:
    """Whether the name has signed in from there lately, as the audit log tells."""
    c = audit.c
    entered = select(c.address).where(c.action == "user.sign_in", c.at > at - KNOWN)
    places = connection.execute(entered.where(func.lower(c.subject) == name).distinct()).scalars()
    return any(network(place) == address for place in places)


def _nth_last(connection: Connection, which: ColumnElement[bool], n: int, at: datetime) -> datetime | None:
    counting = select(_C.at).where(which, _C.at > at - WINDOW)
    return connection.execute(counting.order_by(_C.at.desc()).offset(n - 1).limit(1)).scalar_one_or_none()


def _queue_up(connection: Connection, name: str, address: str) -> None:
    """Let one attempt after the other be counted; SQLite's single writer does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for what in sorted((f"sign-in of {name}", f"sign-in from {address}")):
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))
