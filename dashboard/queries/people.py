"""Who is signed in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, select

from orchestrator.tables import users
from orchestrator.users import Role


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in. ``stamp`` changes with the password, which ends the sessions before."""

    id: str
    name: str
    role: Role
    stamp: str


def find_person(connection: Connection, user_id: str) -> Person | None:
    """The user as the database knows him now, or None when he is gone."""
    row = connection.execute(select(users).where(users.c.id == user_id)).one_or_none()
    if row is None:
        return None
    stamp = hashlib.sha256(row.password_hash.encode()).hexdigest()[:16]
    return Person(row.id, row.name, Role(row.role), stamp)
