"""What a setting's value may be. Each check returns the value or says in a ValueError what it should be."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import Locale, UnknownLocaleError
from pydantic import AfterValidator, HttpUrl, SecretStr, TypeAdapter

from orchestrator.money import CURRENCIES


def database_url(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("should be sqlite:///path or postgresql://user:pw@host/db")
    return url


def _web_address(url: str) -> str:
    TypeAdapter(HttpUrl).validate_python(url)
    return url.rstrip("/")


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("should be an ISO 4217 code such as SEK")
    return code


def _locale(name: str) -> str:
    try:
        return str(Locale.parse(name.replace("-", "_")))
    except (ValueError, UnknownLocaleError):
        raise ValueError("should be a locale such as sv_SE") from None


def _time_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError("should be a time zone such as Europe/Stockholm") from None


def _networks(text: str) -> str:
    try:
        return ", ".join(str(ip_network(word)) for word in text.replace(",", " ").split())
    except ValueError:
        raise ValueError("should be networks such as 10.0.0.0/8, 192.0.2.7 or ::1") from None


def _smtp_url(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("smtp://", "smtps://", "smtp+starttls://")):
        raise ValueError("should be smtp://user:pw@host:25, smtps://... or smtp+starttls://...")
    return url


def _qr_template(template: str) -> str:
    if "{token}" not in template:
        raise ValueError("should contain {token}; {webshop_id} and {public_url} are filled in too")
    return template


WebAddress = Annotated[str, AfterValidator(_web_address)]
SmtpUrl = Annotated[SecretStr, AfterValidator(_smtp_url)]
Currency = Annotated[str, AfterValidator(_currency)]
LocaleName = Annotated[str, AfterValidator(_locale)]
Networks = Annotated[str, AfterValidator(_networks)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
QrTemplate = Annotated[str, AfterValidator(_qr_template)]


def in_words(error: dict[str, Any]) -> str:
    """What a value should be, for somebody who does not know pydantic."""
    kind, context = str(error["type"]), error.get("ctx", {})
    if kind.startswith("url_"):
        return "should be an http:// or https:// address, such as https://shop.example.com"
    if kind in ("int_parsing", "int_from_float"):
        return "should be a whole number"
    if kind in ("float_parsing", "decimal_parsing"):
        return "should be a number"
    if kind in ("too_short", "string_too_short"):
        return f"should have at least {context['min_length']} characters"
    return str(error["msg"]).removeprefix("Value error, ").replace("Input should", "should")
