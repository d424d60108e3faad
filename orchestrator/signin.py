"""Signing in: who has that name and password, without letting anybody guess."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from orchestrator import audit, lockout, password, session
from orchestrator.errors import OrchestratorError
from orchestrator.lockout import LockedOut
from orchestrator.password import PasswordHash
from orchestrator.session import Origin
from orchestrator.stamp import Stamp
from orchestrator.tables import users
from orchestrator.users import User, called
from orchestrator.work import Database


class SignInRefused(OrchestratorError):
    """No user has that name and password. Check both; capital letters count in the password."""

    code = "sign_in_refused"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who says to be this user, if there is one; and the attempt that the lock-out counts."""

    name: str
    user: User | None
    kept: PasswordHash | None
    attempt_id: str


async def enter(database: Database, name: str, secret: str, origin: Origin, at: datetime) -> tuple[User, str]:
    """Sign somebody in: returns the user and the key of the session that begins.

    Raises:
        SignInRefused: the name or the password is wrong; which of them, nobody is told.
        LockedOut: there were too many of those.
    """
    found = await _recognised(database, name, secret, origin, at)
    renewed = await password.hashed(secret) if found.kept and password.is_dated(found.kept) else None
    return await database.write(_begin, found, origin, at, renewed)


async def confirm(database: Database, user: User, secret: str, origin: Origin, at: datetime) -> None:
    """Make sure that whoever is signed in knows the password. Raises SignInRefused, LockedOut."""
    found = await _recognised(database, user.name, secret, origin, at)
    await database.write(lockout.clear, found.attempt_id, found.name, origin.address)


async def _recognised(database: Database, name: str, secret: str, origin: Origin, at: datetime) -> Candidate:
    # Counted before the password is looked at: guesses that come at once must not slip past.
    found = await database.write(_admit, name, origin, at)
    if not await password.fits(found.kept, secret):
        await database.write(_refuse, found, origin, at)
        raise SignInRefused
    return found


def _admit(connection: Connection, name: str, origin: Origin, at: datetime) -> Candidate:
    attempt_id = lockout.admit(connection, name, origin.address, at)
    user = called(connection, name)
    if user is None:
        return Candidate(name, None, None, attempt_id)
    kept = select(users.c.password_hash).where(users.c.id == user.id)
    return Candidate(user.name, user, connection.execute(kept).scalar_one(), attempt_id)


def _refuse(connection: Connection, found: Candidate, origin: Origin, at: datetime) -> None:
    """Leave it counted, and tell the audit log. A name that nobody has may be a password typed in the wrong
    place, so it is not told."""
    name = found.user.name if found.user else ""
    stamp = Stamp(f"operator:{name}" if name else "", at)
    audit.record(connection, stamp, "user.refused", name, address=origin.address)
    if lockout.is_locked(connection, found.name, origin.address, at):
        audit.record(connection, stamp, "user.locked", name, address=origin.address)


def _begin(
    connection: Connection, found: Candidate, origin: Origin, at: datetime, renewed: PasswordHash | None
) -> tuple[User, str]:
    user = found.user
    # Compared with what was verified: a password that was changed meanwhile lets nobody in.
    kept = renewed or found.kept
    statement = update(users).where(users.c.name == found.name, users.c.password_hash == found.kept)
    if user is None or connection.execute(statement.values(password_hash=kept)).rowcount == 0:
        raise SignInRefused
    lockout.clear(connection, found.attempt_id, user.name, origin.address)
    audit.record(
        connection, Stamp(f"operator:{user.name}", at), "user.sign_in", user.name, address=origin.address
    )
    return user, session.begin(connection, user.id, origin, at)


__all__ = ["LockedOut", "SignInRefused", "confirm", "enter"]
