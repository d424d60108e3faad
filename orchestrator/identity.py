"""Names for new things: ids that sort by time, secrets that nobody can guess."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from uuid_utils import uuid7

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEX_DIGITS = 12
_LATEST = 16**_HEX_DIGITS - 1


def new_id(at: datetime | None = None) -> str:
    """A UUID of version 7 as text: unique everywhere, sorts by the time ``at`` that it was made (now)."""
    return str(uuid7() if at is None else uuid7(nanoseconds=_milliseconds(at) * 1_000_000))


def first_id(at: datetime) -> str:
    """What sorts before every id made from ``at`` on and after every id made before, to the millisecond."""
    digits = f"{min(max(_milliseconds(at), 0), _LATEST):0{_HEX_DIGITS}x}"
    return f"{digits[:8]}-{digits[8:]}"


def new_key() -> str:
    """192 random bits for an address or a token that must not be guessed."""
    return secrets.token_urlsafe(24)


def now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


def _milliseconds(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
