"""Passwords: which will do, and their argon2id hashes.

Hashing takes some 50 ms of CPU and 64 MiB: it runs in a few threads of its own, never in a unit of work.
"""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NewType

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from orchestrator.errors import OrchestratorError

SHORTEST = 8
LONGEST = 1024
TOO_SHORT = "The password is too short: use at least 8 characters."
TOO_LONG = "The password is too long: use at most 1024 characters."

PasswordHash = NewType("PasswordHash", str)
"""What is kept of a password."""

_AT_ONCE = 4
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Those that nobody takes for one another."""

_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="password")


class PasswordError(OrchestratorError):
    """The password will not do."""

    code = "password_error"


def checked(password: str) -> str:
    """``password``, if it will do. Raises PasswordError, without the password in it."""
    if len(password) < SHORTEST:
        raise PasswordError(TOO_SHORT)
    if len(password) > LONGEST:
        raise PasswordError(TOO_LONG)
    return password


def invented() -> str:
    """A password for somebody who will choose another: 16 letters and digits (79 bits), in groups."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


async def hashed(password: str) -> PasswordHash:
    """What to keep of a new password. Raises PasswordError."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hash, checked(password))


async def fits(kept: PasswordHash | None, password: str) -> bool:
    """Whether it is the password; takes as long where none is kept."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, kept, password)


def is_dated(kept: PasswordHash) -> bool:
    """Whether it was hashed by other parameters than today's."""
    return _hasher.check_needs_rehash(kept)


def _hash(password: str) -> PasswordHash:
    return PasswordHash(_hasher.hash(password))


def _verify(kept: PasswordHash | None, password: str) -> bool:
    try:
        _hasher.verify(kept or _nobodys(), password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


@cache
def _nobodys() -> PasswordHash:
    """What a password is compared with where nobody has the name."""
    return _hash("a password that nobody has")
