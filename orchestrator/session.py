"""Who is signed in with which browser: kept here, so that it can be ended here.

The browser has a random key in a signed cookie; the table has the key's hash. A session ends when nothing
was done with it for ``IDLE``, ``LIFETIME`` after the sign-in, at the sign-out, and when its user gets
another password or role or is removed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update

from orchestrator.identity import new_id, new_key
from orchestrator.tables import sessions

IDLE = timedelta(hours=12)
LIFETIME = timedelta(days=7)
NOTED_EVERY = timedelta(minutes=5)
"""Its use is written down no more often."""

_BITE = 1000
_C = sessions.c


@dataclass(frozen=True, slots=True)
class Origin:
    """Where somebody comes from: the network address, and what the browser calls itself."""

    address: str = ""
    browser: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser in which somebody is signed in."""

    id: str
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    address: str
    browser: str

    def use_is_news(self, at: datetime) -> bool:
        """Whether its last use was written down so long ago that this one should be."""
        return at - self.seen_at >= NOTED_EVERY


KEPT = (_C.id, _C.created_at, _C.seen_at, _C.ends_at, _C.address, _C.browser)
"""The columns of a ``Session``, in its order."""


def digest(key: str) -> str:
    """What is kept of a key. It is long and random, so a fast hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


def begin(connection: Connection, user_id: str, origin: Origin, at: datetime) -> str:
    """Begin a session and return its key, which nobody can read again."""
    key = new_key()
    connection.execute(
        insert(sessions).values(
            id=new_id(),
            user_id=user_id,
            key_hash=digest(key),
            created_at=at,
            seen_at=at,
            ends_at=at + LIFETIME,
            address=origin.address[:64],
            browser=origin.browser[:200],
        )
    )
    return key


def alive(at: datetime) -> ColumnElement[bool]:
    """What holds for sessions that have not ended."""
    return and_(_C.ends_at > at, _C.seen_at > at - IDLE)


def of_user(connection: Connection, user_id: str, at: datetime) -> list[Session]:
    """The user's sessions, the one that was used last first."""
    statement = select(*KEPT).where(_C.user_id == user_id, alive(at))
    found = connection.execute(statement.order_by(_C.seen_at.desc(), _C.id.desc()))
    return [Session(*row) for row in found]


def living(connection: Connection, at: datetime) -> frozenset[str]:
    """The ids of all sessions that have not ended."""
    return frozenset(connection.execute(select(_C.id).where(alive(at))).scalars())


def note_use(connection: Connection, session_id: str, address: str, at: datetime) -> None:
    """Write down that it was used, and from where."""
    values = {"seen_at": at, "address": address[:64]}
    connection.execute(update(sessions).where(_C.id == session_id).values(values))


def end(connection: Connection, session_id: str, user_id: str) -> bool:
    """End one session of the user; returns whether there was one."""
    return connection.execute(delete(sessions).where(_C.id == session_id, _C.user_id == user_id)).rowcount > 0


def end_all(connection: Connection, user_id: str, besides: str = "") -> int:
    """End the user's sessions, but not the one with the id ``besides``; returns how many."""
    return connection.execute(delete(sessions).where(_C.user_id == user_id, _C.id != besides)).rowcount


def prune(connection: Connection, at: datetime) -> int:
    """Forget sessions that have ended, a bite at a time; returns how many."""
    over = select(_C.id).where(or_(_C.ends_at <= at, _C.seen_at <= at - IDLE)).limit(_BITE)
    return connection.execute(delete(sessions).where(_C.id.in_(over))).rowcount
