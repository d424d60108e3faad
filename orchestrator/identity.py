"""Names for new things: ids that sort by time, secrets that nobody can guess."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from uuid_utils import uuid7


def new_id() -> str:
    """A UUID of version 7 as text: unique everywhere, sorts by the time it was made."""
    return str(uuid7())


def new_key() -> str:
    """192 random bits for an address or a token that must not be guessed."""
    return secrets.token_urlsafe(24)


def now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)
