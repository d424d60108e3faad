"""Who may sign in to the dashboard, and what each may do there.

Whoever changes something of a user ends that user's sessions and leaves a row in the audit log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from orchestrator import audit, bulk, lockout, password, session
from orchestrator.errors import OrchestratorError
from orchestrator.identity import new_id
from orchestrator.password import PasswordHash
from orchestrator.stamp import Stamp
from orchestrator.tables import users
from orchestrator.work import Database

ADMIN = "admin"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_C = users.c


class Role(StrEnum):
    """What a user may do; each may do what those before it may."""

    VIEWER = "viewer"
    """Look."""
    OPERATOR = "operator"
    """Act on purchases, mails and the stock; read the audit log."""
    ADMIN = "admin"
    """Change users and tokens, and see the settings, too."""

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what ``needed`` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class UserError(OrchestratorError):
    """The user cannot be made or changed so."""

    code = "user_error"


class UserUnknown(UserError):
    """There is no user with that name."""

    code = "user_unknown"


class UserExists(UserError):
    """A user with that name exists already."""

    code = "user_exists"


class LastAdmin(UserError):
    """This is the last admin: without one nobody could change users any more. Make another admin first."""

    code = "last_admin"


class RoleChanged(UserError):
    """Somebody else changed the user's role meanwhile.

    Attributes:
        name: whose role.
        role: what it is now.
    """

    code = "role_changed"

    def __init__(self, name: str, role: Role) -> None:
        super().__init__(f"Somebody else has made {name} {role.value} meanwhile. Nothing was changed.")
        self.name, self.role = name, role


@dataclass(frozen=True, slots=True)
class User:
    """A user, without the password. ``language`` is None for the browser's own."""

    id: str
    name: str
    role: Role
    language: str | None
    created_at: datetime


SHOWN = (_C.id, _C.name, _C.role, _C.language, _C.created_at)
"""The columns of a ``User``, in its order."""


def add(
    connection: Connection, name: str, kept: PasswordHash, role: Role, stamp: Stamp, address: str = ""
) -> User:
    """Make a user. Raises UserExists, whatever the case of the letters, or UserError for a bad name."""
    user = User(new_id(), checked_name(name), role, None, stamp.at)
    _queue_up(connection, name)
    if namesakes := _namesakes(connection, name):
        raise _exists(namesakes[0].name)
    row = {"id": user.id, "name": name, "role": role.value, "created_at": stamp.at, "password_hash": kept}
    try:
        with connection.begin_nested():
            connection.execute(insert(users).values(row))
    except IntegrityError as error:
        raise _exists(name) from error
    audit.record(connection, stamp, "user.add", name, role.value, address)
    return user


def set_password(
    connection: Connection,
    name: str,
    kept: PasswordHash,
    stamp: Stamp,
    address: str = "",
    keep_session: str = "",
) -> None:
    """Give a user another password; every session ends but ``keep_session``. Raises UserUnknown."""
    user = _locked(connection, name)[0]
    connection.execute(update(users).where(_C.id == user.id).values(password_hash=kept))
    session.end_all(connection, user.id, besides=keep_session)
    lockout.forget(connection, name)
    audit.record(connection, stamp, "user.password", name, address=address)


def set_role(
    connection: Connection,
    name: str,
    role: Role,
    stamp: Stamp,
    address: str = "",
    seen: Role | None = None,
) -> bool:
    """Give a user another role, which ends every session, and bulk runs where the new role may start none;
    returns whether it is another.

    ``seen`` is the role that whoever asks believes the user to have; None for whatever it is.

    Raises:
        UserUnknown, RoleChanged, LastAdmin: nothing was changed.
    """
    user, others = _locked(connection, name, seen)
    if user.role is role:
        return False
    if user.role is Role.ADMIN and not others:
        raise LastAdmin
    connection.execute(update(users).where(_C.id == user.id).values(role=role.value))
    session.end_all(connection, user.id)
    if not role.covers(Role.OPERATOR):
        bulk.stop_all_of(connection, f"operator:{name}", stamp, address)
    audit.record(connection, stamp, "user.role", name, f"{user.role.value} → {role.value}", address)
    return True


def remove(
    connection: Connection, name: str, stamp: Stamp, address: str = "", seen: Role | None = None
) -> None:
    """Take a user away, who is signed out everywhere, and whose bulk runs stop. What was done under the name
    stays in the records.

    Raises:
        UserUnknown, RoleChanged, LastAdmin: nothing was changed.
    """
    user, others = _locked(connection, name, seen)
    if user.role is Role.ADMIN and not others:
        raise LastAdmin
    session.end_all(connection, user.id)
    bulk.stop_all_of(connection, f"operator:{name}", stamp, address)
    connection.execute(delete(users).where(_C.id == user.id))
    audit.record(connection, stamp, "user.remove", name, user.role.value, address)


def set_language(connection: Connection, user_id: str, language: str | None) -> None:
    """In which language the dashboard speaks to the user; None for the browser's own."""
    connection.execute(update(users).where(_C.id == user_id).values(language=language))


def list_users(connection: Connection) -> list[User]:
    """All users, by name."""
    return [of_row(*row) for row in connection.execute(select(*SHOWN).order_by(_C.name))]


def find(connection: Connection, name: str) -> User | None:
    """The user with this name."""
    row = connection.execute(select(*SHOWN).where(_C.name == name)).one_or_none()
    return None if row is None else of_row(*row)


def called(connection: Connection, name: str) -> User | None:
    """Who signs in with this name, whatever the case of its letters. Users from a time when the case told two
    apart have to write theirs exactly."""
    found = _namesakes(connection, name)
    exact = next((user for user in found if user.name == name), None)
    return exact or (found[0] if len(found) == 1 else None)


async def ensure_admin(database: Database, secret: str, stamp: Stamp) -> bool:
    """Make the user ``admin``, if there is neither one of that name nor any other admin; returns whether it
    was made. Who has removed that user must not find it again after the next start, with its first password.
    """
    if await database.read(_has_admin):
        return False
    kept = await password.hashed(secret)
    try:
        await database.write(add, ADMIN, kept, Role.ADMIN, stamp)
    except UserExists:  # another process was quicker
        return False
    return True


def _has_admin(connection: Connection) -> bool:
    either = or_(_C.name == ADMIN, _C.role == Role.ADMIN.value)
    return connection.execute(select(_C.id).where(either).limit(1)).first() is not None


def checked_name(name: str) -> str:
    """``name``, if a user may be called so. Raises UserError."""
    if not _NAME.fullmatch(name):
        raise UserError(
            f"{name[:64]!r} is no name for a user: use up to 64 letters, digits, '.', '_', '@' and '-', "
            "with a letter or digit first."
        )
    return name


def of_row(user_id: str, name: str, role: str, language: str | None, created_at: datetime) -> User:
    """A row of the columns ``SHOWN``."""
    return User(user_id, name, Role(role), language, created_at)


def _queue_up(connection: Connection, name: str) -> None:
    """Let two admins who add a name at once wait for each other; SQLite's single writer does so by itself."""
    if connection.dialect.name == "postgresql":
        what = f"user {name.lower()}"
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))


def _namesakes(connection: Connection, name: str) -> list[User]:
    """Users of that name, whatever the case of its letters."""
    statement = select(*SHOWN).where(func.lower(_C.name) == name.lower())
    return [of_row(*row) for row in connection.execute(statement)]


def _exists(name: str) -> UserExists:
    return UserExists(f"A user {name} exists already. Give that one another password instead.")


def _locked(connection: Connection, name: str, seen: Role | None = None) -> tuple[User, int]:
    """The user, and how many other admins there are; none of them can be changed before the commit.

    Raises:
        UserUnknown, RoleChanged: the user is not what whoever asks has seen.
    """
    statement = select(*SHOWN).where(or_(_C.name == name, _C.role == Role.ADMIN.value))
    found = [of_row(*row) for row in connection.execute(statement.order_by(_C.id).with_for_update())]
    user = next((user for user in found if user.name == name), None)
    if user is None:
        raise UserUnknown(f"There is no user {name}. Make one: orchestrator users add {name}")
    if seen is not None and user.role is not seen:
        raise RoleChanged(name, user.role)
    return user, len(found) - 1
