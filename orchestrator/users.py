"""Who may sign in to the dashboard. Passwords are kept as argon2id hashes only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from orchestrator.errors import OrchestratorError
from orchestrator.identity import new_id
from orchestrator.tables import users

ADMIN = "admin"
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1024

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_hasher = PasswordHasher()


@cache
def _nobodys_hash() -> str:
    """What a password is compared with where nobody has the name."""
    return _hasher.hash("a password that nobody has")


class Role(StrEnum):
    """What a user may do; each may do what those before it may."""

    VIEWER = "viewer"
    """Look."""
    OPERATOR = "operator"
    """Check, retry, cancel, change the stock."""
    ADMIN = "admin"
    """Change users, tokens and products too."""

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


@dataclass(frozen=True, slots=True)
class User:
    """A user, without the password."""

    id: str
    name: str
    role: Role
    created_at: datetime


_SHOWN = (users.c.id, users.c.name, users.c.role, users.c.created_at)


def add(connection: Connection, name: str, password: str, role: Role, at: datetime) -> User:
    """Make a user. Raises UserExists, or UserError for a name or password that will not do."""
    checked_name(name)
    user = User(new_id(), name, role, at)
    row = {
        "id": user.id,
        "name": name,
        "role": role.value,
        "created_at": at,
        "password_hash": _hash(password),
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(users).values(row))
    except IntegrityError as error:
        raise UserExists(
            f"A user {name} exists already. Change the password: orchestrator users passwd {name}"
        ) from error
    return user


def set_password(connection: Connection, name: str, password: str) -> None:
    """Give a user another password. Raises UserUnknown, or UserError for one that will not do."""
    changed = connection.execute(
        update(users).where(users.c.name == name).values(password_hash=_hash(password))
    )
    if changed.rowcount == 0:
        raise _unknown(name)


def set_role(connection: Connection, name: str, role: Role) -> None:
    """Give a user another role. Raises UserUnknown."""
    if connection.execute(update(users).where(users.c.name == name).values(role=role.value)).rowcount == 0:
        raise _unknown(name)


def list_users(connection: Connection) -> list[User]:
    """All users, by name."""
    return [_user(*row) for row in connection.execute(select(*_SHOWN).order_by(users.c.name))]


def find(connection: Connection, user_id: str) -> User | None:
    """The user with this id, as a session remembers it."""
    row = connection.execute(select(*_SHOWN).where(users.c.id == user_id)).one_or_none()
    return None if row is None else _user(*row)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who wants to sign in: what is kept under that name, if anything is."""

    user: User | None
    password_hash: str


def candidate(connection: Connection, name: str) -> Candidate:
    """Read what ``recognise`` needs."""
    statement = select(*_SHOWN, users.c.password_hash).where(users.c.name == name)
    row = connection.execute(statement).one_or_none()
    return Candidate(None, _nobodys_hash()) if row is None else Candidate(_user(*row[:-1]), row[-1])


def recognise(found: Candidate, password: str) -> User | None:
    """The user, if the password is right. Takes as long for a name that nobody has.

    Hashing takes some 50 ms of CPU, so run this in a thread, outside of any unit of work.
    """
    try:
        _hasher.verify(found.password_hash, password[:LONGEST_PASSWORD])
    except (VerificationError, InvalidHashError):
        return None
    return found.user


def rehash(connection: Connection, found: Candidate, password: str) -> bool:
    """Keep the password of a recognised user by today's parameters, if it is kept by older ones."""
    if found.user is None or not _hasher.check_needs_rehash(found.password_hash):
        return False
    # Compared with the old hash: a password that was changed meanwhile stays changed.
    statement = (
        update(users)
        .where(users.c.id == found.user.id, users.c.password_hash == found.password_hash)
        .values(password_hash=_hasher.hash(password))
    )
    return connection.execute(statement).rowcount > 0


def verify(connection: Connection, name: str, password: str) -> User | None:
    """``candidate`` and ``recognise`` in one, for callers that may wait."""
    return recognise(candidate(connection, name), password)


def ensure_admin(connection: Connection, password: str, at: datetime) -> bool:
    """Make the user ``admin`` unless there is one, which keeps its password; returns whether it was made."""
    if connection.execute(select(users.c.id).where(users.c.name == ADMIN)).first() is not None:
        return False
    try:
        add(connection, ADMIN, password, Role.ADMIN, at)
    except UserExists:  # another process was quicker
        return False
    return True


def checked_name(name: str) -> str:
    """``name``, if a user may be called so. Raises UserError."""
    if not _NAME.fullmatch(name):
        raise UserError(
            f"{name[:64]!r} is no name for a user: use up to 64 letters, digits, '.', '_', '@' and '-', "
            "with a letter or digit first."
        )
    return name


def checked_password(password: str) -> str:
    """``password``, if it will do. Raises UserError, without the password in it."""
    if len(password) < SHORTEST_PASSWORD:
        raise UserError(f"The password is too short: use at least {SHORTEST_PASSWORD} characters.")
    if len(password) > LONGEST_PASSWORD:
        raise UserError(f"The password is too long: use at most {LONGEST_PASSWORD} characters.")
    return password


def _hash(password: str) -> str:
    return _hasher.hash(checked_password(password))


def _user(user_id: str, name: str, role: str, created_at: datetime) -> User:
    return User(user_id, name, Role(role), created_at)


def _unknown(name: str) -> UserUnknown:
    return UserUnknown(f"There is no user {name}. Make one: orchestrator users add {name}")
