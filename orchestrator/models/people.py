"""Who may come in, and what they did."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from orchestrator.models.fields import moment as _moment


class User(SQLModel, table=True):
    """Somebody who may sign in to the dashboard."""

    __tablename__ = "users"

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(max_length=64, unique=True)
    password_hash: str = Field(max_length=200)
    role: str = Field(max_length=16)
    language: str | None = Field(default=None, max_length=8)
    """In which the dashboard speaks; null for the browser's own."""
    created_at: datetime = _moment()


class ApiToken(SQLModel, table=True):
    """A bearer token for ``/api/v1``; only its hash is kept."""

    __tablename__ = "api_tokens"

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(max_length=64)
    token_hash: str = Field(max_length=64, unique=True)
    created_at: datetime = _moment()
    last_used_at: datetime | None = _moment(default=None)
    revoked_at: datetime | None = _moment(default=None)


class Session(SQLModel, table=True):
    """Somebody is signed in with one browser, until ``ends_at``; only the key's hash is kept."""

    __tablename__ = "sessions"

    id: str = Field(primary_key=True, max_length=36)
    user_id: str = Field(foreign_key="users.id", max_length=36, index=True)
    key_hash: str = Field(max_length=64, unique=True)
    created_at: datetime = _moment()
    seen_at: datetime = _moment()
    """When it was last used, to a few minutes."""
    ends_at: datetime = _moment()
    address: str = Field(max_length=64)
    browser: str = Field(max_length=200)


class SignInFailure(SQLModel, table=True):
    """A sign-in that was refused: what the lock-out counts."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (
        Index("sign_in_failures_of_name", "name", "at"),
        Index("sign_in_failures_of_address", "address", "at"),
    )

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(max_length=64)
    address: str = Field(max_length=64)
    at: datetime = _moment(index=True)


class AuditEntry(SQLModel, table=True):
    """Somebody did something; rows are only ever added, which the database enforces.

    ``action`` is a word with a dot such as ``purchase.cancel``; ``subject`` is what it was done to: an id, a
    product's token, a user's name.
    """

    __tablename__ = "audit"
    __table_args__ = (
        Index("audit_by_time", "at", "id"),
        Index("audit_of_subject", "subject", "at", "id"),
        Index("audit_of_actor", "actor", "at", "id"),
        Index("audit_of_action", "action", "at", "id"),
    )

    id: str = Field(primary_key=True, max_length=36)
    at: datetime = _moment()
    actor: str = Field(max_length=100)
    action: str = Field(max_length=64)
    subject: str = Field(max_length=100)
    detail: str = Field(sa_type=Text)
    """Why, in the words of who did it, or what was changed. It names no customer: it can never be blanked."""
    address: str = Field(max_length=64)
