"""Bearer tokens for ``/api/v1``: made once, shown once, kept only as a hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select, update

from orchestrator import audit
from orchestrator.errors import OrchestratorError
from orchestrator.identity import new_id, new_key
from orchestrator.stamp import Stamp
from orchestrator.tables import api_tokens

PREFIX = "seqr_"
"""Every token begins so, which lets a scanner for leaked secrets know one."""

LONGEST_NAME = 64
SETTINGS_NAME = "settings"
"""What the token of ORCHESTRATOR_API_TOKEN is called."""
_USE_IS_NOTED_EVERY = timedelta(minutes=1)


class TokenNameTaken(OrchestratorError):
    """There is an API token with that name already. Choose another name, or revoke that token first."""

    code = "api_token_name_taken"


class TokenUnknown(OrchestratorError):
    """There is no such API token."""

    code = "api_token_unknown"


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as it is kept; its text is not."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    def use_is_news(self, at: datetime) -> bool:
        """Whether its last use was noted so long ago that this one should be: at most once a minute."""
        return self.last_used_at is None or at - self.last_used_at >= _USE_IS_NOTED_EVERY


_KEPT = (
    api_tokens.c.id,
    api_tokens.c.name,
    api_tokens.c.created_at,
    api_tokens.c.last_used_at,
    api_tokens.c.revoked_at,
)


def digest(token: str) -> str:
    """What is kept of a token. It is long and random, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def make(connection: Connection, name: str, stamp: Stamp, address: str = "") -> str:
    """Make a token called ``name`` and return its text, which nobody can read again. Raises TokenNameTaken.

    What is done with a token is recorded under its name, so no two that are in use share one.
    """
    if name == SETTINGS_NAME or _is_taken(connection, name):
        raise TokenNameTaken
    token = PREFIX + new_key()
    row = {"id": new_id(), "name": name, "token_hash": digest(token), "created_at": stamp.at}
    connection.execute(insert(api_tokens).values(row))
    audit.record(connection, stamp, "token.make", name, address=address)
    return token


def recognise(connection: Connection, token: str) -> ApiToken | None:
    """The token with this text, unless it was revoked or never made."""
    statement = select(*_KEPT).where(
        api_tokens.c.token_hash == digest(token), api_tokens.c.revoked_at.is_(None)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else ApiToken(*row)


def note_use(connection: Connection, token_id: str, at: datetime) -> None:
    """Write down that the token was used."""
    connection.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(last_used_at=at))


def list_tokens(connection: Connection) -> list[ApiToken]:
    """All tokens, newest first, with the revoked ones."""
    return [ApiToken(*row) for row in connection.execute(select(*_KEPT).order_by(api_tokens.c.id.desc()))]


def revoke(connection: Connection, token_id: str, stamp: Stamp, address: str = "") -> str:
    """Let the token in no more; returns its name. Raises TokenUnknown; a second time changes nothing."""
    row = connection.execute(select(*_KEPT).where(api_tokens.c.id == token_id)).one_or_none()
    if row is None:
        raise TokenUnknown(f"There is no API token {token_id}.")
    statement = update(api_tokens).where(api_tokens.c.id == token_id, api_tokens.c.revoked_at.is_(None))
    if connection.execute(statement.values(revoked_at=stamp.at)).rowcount:
        audit.record(connection, stamp, "token.revoke", row.name, address=address)
    return str(row.name)


def _is_taken(connection: Connection, name: str) -> bool:
    """Whether a token that is in use has the name. Two admins who make one at once wait for each other."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"API token {name}", 0))))
    in_use = select(api_tokens.c.id).where(api_tokens.c.name == name, api_tokens.c.revoked_at.is_(None))
    return connection.execute(in_use).first() is not None
