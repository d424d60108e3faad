"""Secrets stay out of what people read."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from orchestrator.secrecy import Secrecy
from tests.fixtures.operations import settings

SECRETS = {
    "secret_key": "key-key-key-key-key",
    "seqr_password": "seqr-word-1",
    "create_purchase_password": "shop-word-1",
    "api_token": "token-token-token",
    "admin_password": "admin-word-1",
}


def known() -> Secrecy:
    found = settings(
        **{name: SecretStr(value) for name, value in SECRETS.items()},
        create_purchase_user="seqr",
        database_url=SecretStr("postgresql://shop:base%2Fword@db/shop"),
        smtp_url=SecretStr("smtp://post:mail-word@mail:25"),
    )
    return Secrecy.of(found, "made-key-made-key")


@pytest.mark.parametrize(
    "secret", [*SECRETS.values(), "base%2Fword", "base/word", "mail-word", "made-key-made-key"]
)
def test_every_secret_of_the_settings_is_hidden(secret: str) -> None:
    assert known().hide(f"before {secret} after") == "before *** after"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer ***"),
        ("Authorization: Basic c2VxcjpwYXNz", "Authorization: Basic ***"),
        ("GET https://me:hush@host/path", "GET https://me:***@host/path"),
        ("a basic thing", "a basic thing"),
        ("https://host:8000/a@b", "https://host:8000/a@b"),
    ],
)
def test_credentials_are_hidden_wherever_they_stand(text: str, shown: str) -> None:
    assert Secrecy().hide(text) == shown


def test_a_short_secret_defaces_no_reference() -> None:
    assert Secrecy(["1234"]).hide("1234 and 20123456") == "*** and 20123456"


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    assert Secrecy(["password", "password-and-more"]).hide("password-and-more") == "***"
