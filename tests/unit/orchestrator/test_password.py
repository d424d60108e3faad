"""Passwords: which will do, and how they are kept."""

from __future__ import annotations

import pytest

from orchestrator.password import (
    LONGEST,
    SHORTEST,
    PasswordError,
    PasswordHash,
    checked,
    fits,
    hashed,
    invented,
    is_dated,
)

PASSWORD = "correct horse"


@pytest.mark.parametrize("password", ["", "1234567", "x" * 1025])
def test_a_bad_password_is_refused_without_being_shown(password: str) -> None:
    with pytest.raises(PasswordError) as caught:
        checked(password)
    assert not password or password not in caught.value.message
    assert str(SHORTEST) in caught.value.message or str(LONGEST) in caught.value.message


async def test_it_is_kept_as_argon2id_and_known_again() -> None:
    kept = await hashed(PASSWORD)
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept
    assert not is_dated(kept)
    assert await fits(kept, PASSWORD)
    assert not await fits(kept, PASSWORD + " ")
    with pytest.raises(PasswordError):
        await hashed("short")


async def test_a_broken_hash_and_none_fit_nothing() -> None:
    assert not await fits(PasswordHash("no hash at all"), PASSWORD)
    assert not await fits(None, PASSWORD)
    assert not await fits(None, "a password that nobody has")


def test_invented_ones_differ_and_will_do() -> None:
    made = {invented() for _ in range(50)}
    assert len(made) == 50
    assert all(checked(password) for password in made)
