"""Keeps secrets out of whatever people read: logs, reports of the doctor, error texts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from orchestrator.settings import Settings

MASK = "***"

_SHORT = 8
_AUTHORIZATION = r"(?P<scheme>\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{4,}"
_ADDRESS = r"(?P<address>\b[a-z][a-z0-9+.-]*://[^\s/@:]*:)[^\s/@]+(?=@)"
_SIGNS = ("Bearer", "Basic", "://")
"""One of these is in whatever looks like credentials."""


class Secrecy:
    """Hides the secrets that it knows, and whatever looks like credentials in a header or an address.

    A secret under eight characters is hidden only where no letter or digit touches it: ``1234`` must not
    deface every reference that contains it.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        longest_first = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        known = "|".join(_literal(secret) for secret in longest_first)
        self._pattern = re.compile("|".join(filter(None, (_AUTHORIZATION, _ADDRESS, known))))
        self._signs = (*_SIGNS, *longest_first)

    @classmethod
    def of(cls, settings: Settings, *more: str) -> Secrecy:
        """Knows the secrets of the settings, and ``more`` such as the key that signs sessions."""
        kept = (
            settings.secret_key,
            settings.seqr_password,
            settings.create_purchase_password,
            settings.api_token,
            settings.admin_password,
        )
        addresses = (settings.database_url, settings.smtp_url)
        found = [secret.get_secret_value() for secret in kept if secret is not None]
        for address in addresses:
            if address is not None:
                found += _password_of(address.get_secret_value())
        return cls([*found, *more])

    def may_have_secrets(self, text: str) -> bool:
        """Whether it is worth a look with a regular expression, which takes many times longer."""
        return any(map(text.__contains__, self._signs))

    def hide(self, text: str) -> str:
        """``text`` without the secrets in it."""
        if not self.may_have_secrets(text):
            return text
        return self._pattern.sub(_masked, text)


def _masked(match: re.Match[str]) -> str:
    return (match["scheme"] or match["address"] or "") + MASK


def _literal(secret: str) -> str:
    text = re.escape(secret)
    return rf"(?<!\w){text}(?!\w)" if len(secret) < _SHORT else text


def _password_of(address: str) -> list[str]:
    """The password in an address, as it stands there and decoded."""
    password = urlsplit(address).password
    return [password, unquote(password)] if password else []
