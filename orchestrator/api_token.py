"""Bearer tokens for ``/api/v1``: made once, shown once, kept only as a hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from orchestrator.errors import OrchestratorError
from orchestrator.identity import new_id, new_key
from orchestrator.tables import api_tokens

PREFIX = "seqr_"
"""Every token begins so, which lets a scanner for leaked secrets know one."""

LONGEST_NAME = 64
_USE_IS_NOTED_EVERY = timedelta(minutes=1)


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


def make(connection: Connection, name: str, at: datetime) -> str:
    """Make a token called ``name`` and return its text, which nobody can read again."""
    token = PREFIX + new_key()
    row = {"id": new_id(), "name": name[:LONGEST_NAME], "token_hash": digest(token), "created_at": at}
    connection.execute(insert(api_tokens).values(row))
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


def revoke(connection: Connection, token_id: str, at: datetime) -> None:
    """Let the token in no more. Raises TokenUnknown; a second time changes nothing."""
    statement = (
        update(api_tokens)
        .where(api_tokens.c.id == token_id)
        .values(revoked_at=at)
        .where(api_tokens.c.revoked_at.is_(None))
    )
    if connection.execute(statement).rowcount == 0 and not _exists(connection, token_id):
        raise TokenUnknown(f"There is no API token {token_id}.")


def _exists(connection: Connection, token_id: str) -> bool:
    return connection.execute(select(api_tokens.c.id).where(api_tokens.c.id == token_id)).first() is not None
