"""Who is signed in, and in which session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from orchestrator import session
from orchestrator.session import Session
from orchestrator.tables import sessions, users
from orchestrator.users import SHOWN, Role, User, find, of_row


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in, as the database knows him now, and the session of this browser."""

    user: User
    session: Session

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def name(self) -> str:
        return self.user.name

    @property
    def role(self) -> Role:
        return self.user.role

    @property
    def language(self) -> str | None:
        """The code of the language that was chosen; None for the browser's own."""
        return self.user.language


def find_person(connection: Connection, key: str, at: datetime) -> Person | None:
    """Who has the session with this key; None when it has ended."""
    statement = (
        select(*SHOWN, *session.KEPT)
        .join(sessions, sessions.c.user_id == users.c.id)
        .where(sessions.c.key_hash == session.digest(key), session.alive(at))
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    return Person(of_row(*row[: len(SHOWN)]), Session(*row[len(SHOWN) :]))


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user in the list; ``seen_at`` is when one of the sessions that have not ended was last used."""

    user: User
    seen_at: datetime | None


def read_users(connection: Connection, at: datetime) -> list[UserRow]:
    """All users, by name."""
    alive = and_(sessions.c.user_id == users.c.id, session.alive(at))
    statement = select(*SHOWN, func.max(sessions.c.seen_at)).outerjoin(sessions, alive)
    rows = connection.execute(statement.group_by(*SHOWN).order_by(users.c.name))
    return [UserRow(of_row(*row[:-1]), row[-1]) for row in rows]


def read_user(connection: Connection, name: str, at: datetime) -> tuple[User, list[Session]] | None:
    """One user, and where he is signed in."""
    user = find(connection, name)
    return None if user is None else (user, session.of_user(connection, user.id, at))
