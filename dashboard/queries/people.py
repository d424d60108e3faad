"""Who is signed in, and in which session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from orchestrator import session
from orchestrator.session import Session
from orchestrator.tables import sessions, users
from orchestrator.users import SHOWN, Role, User, of_row


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
