"""Settings: environment variables beginning with ``ORCHESTRATOR_``, a ``.env`` file beneath them."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import Locale, UnknownLocaleError
from pydantic import AfterValidator, Field, HttpUrl, SecretStr, TypeAdapter, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from orchestrator.errors import OrchestratorError
from orchestrator.money import CURRENCIES, Money, MoneyError

PREFIX = "ORCHESTRATOR_"
VAR = Path("var")
"""Where the project keeps what it makes: the SQLite file and the secret key."""
_SHORTEST_KEY = 16
_LOCALES = {"SEK": "sv_SE", "DKK": "da_DK", "NOK": "nb_NO", "EUR": "en_IE", "GBP": "en_GB", "USD": "en_US"}
"""How amounts are written where a currency is used."""


class SettingsError(OrchestratorError):
    """A setting is wrong."""

    code = "wrong_setting"


def _database_url(url: str) -> str:
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


def _smtp_url(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("smtp://", "smtps://", "smtp+starttls://")):
        raise ValueError("should be smtp://user:pw@host:25, smtps://... or smtp+starttls://...")
    return url


def _qr_template(template: str) -> str:
    if "{token}" not in template:
        raise ValueError("should contain {token}; {webshop_id} and {public_url} are filled in too")
    return template


WebAddress = Annotated[str, AfterValidator(_web_address)]


class Settings(BaseSettings):
    """Everything that can be set; the field ``poll_interval`` is the variable
    ``ORCHESTRATOR_POLL_INTERVAL``. Durations are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    database_url: Annotated[SecretStr, Field(validate_default=True)] = SecretStr(
        "sqlite:///var/orchestrator.db"
    )
    public_url: WebAddress = "http://127.0.0.1:8000"
    secret_key: SecretStr | None = Field(default=None, min_length=_SHORTEST_KEY)

    seqr_endpoint: WebAddress | None = None
    seqr_wsdl: str | None = None
    seqr_principal_type: Literal["TERMINALID", "RESELLERUSER"] = "TERMINALID"
    seqr_principal_id: str | None = None
    seqr_user_id: str | None = None
    seqr_password: SecretStr | None = Field(default=None, min_length=4)
    seqr_timeout: float = Field(default=10, gt=0, le=60)

    create_purchase_user: str | None = None
    create_purchase_password: SecretStr | None = None
    create_purchase_in_flight: int = Field(default=500, ge=1, le=100_000)
    api_token: SecretStr | None = Field(default=None, min_length=16)
    admin_password: SecretStr | None = Field(default=None, min_length=8)

    poll_interval: float = Field(default=2, gt=0, le=10)
    invoice_ttl: float = Field(default=900, ge=1, le=30 * 24 * 3600)
    exchange_days: int = Field(default=30, ge=1, le=3650)

    smtp_url: Annotated[SecretStr, AfterValidator(_smtp_url)] | None = None
    mail_from: str = Field(
        default="shop@localhost", pattern=r"^[^\x00-\x1f\x7f]+@[^\x00-\x20\x7f@]+$", max_length=254
    )
    mail_templates: Path | None = None

    delivery_charge: Decimal = Field(default=Decimal(0), ge=0)
    delivery_free_from: Decimal | None = Field(default=None, ge=0)
    delivery_tax_rate: Decimal = Field(default=Decimal(25), ge=0, le=100)
    bundle_rows: Literal["parts", "one"] = "parts"
    low_stock: int = Field(default=5, ge=0, le=1_000_000)
    shop_name: str = Field(default="Demo shop", min_length=1, max_length=80)
    webshop_id: str = Field(default="demo", pattern=r"^[A-Za-z0-9._-]{1,64}$")
    currency: Annotated[str, AfterValidator(_currency)] = "SEK"
    locale: Annotated[str, AfterValidator(_locale)] | None = None
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "Europe/Stockholm"
    back_url: WebAddress | None = None
    qr_template: Annotated[str, AfterValidator(_qr_template)] = (
        "HTTP://SEQR.SE/000/wss?w={webshop_id}&t={token}"
    )

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "text"] = "auto"

    @property
    def money_locale(self) -> str:
        """How money is written: ``locale``, or else as where the shop's currency is used."""
        return self.locale or _LOCALES.get(self.currency, "en")

    @property
    def zone(self) -> ZoneInfo:
        """Where the shop's days begin and end."""
        return ZoneInfo(self.time_zone)

    @property
    def delivery(self) -> Money:
        """The delivery charge in the shop's currency. Raises MoneyError for more decimals than it has."""
        return Money(self.delivery_charge, self.currency)

    @property
    def delivery_free(self) -> Money | None:
        """Goods worth this much are delivered free."""
        return None if self.delivery_free_from is None else Money(self.delivery_free_from, self.currency)

    @property
    def database(self) -> str:
        """The database's address, with its password."""
        return self.database_url.get_secret_value()


def load(**overrides: object) -> Settings:
    """Read the environment; ``overrides`` win over it.

    Raises:
        SettingsError: one line that names the variable and says what it should be. A secret's value is
            never part of it.
    """
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise SettingsError(f"{name}: {_in_words(dict(first))}.") from None
    _check_together(settings)
    return settings


def _in_words(error: dict[str, Any]) -> str:
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


def _check_together(settings: Settings) -> None:
    try:
        _database_url(settings.database)
    except ValueError as error:
        raise SettingsError(f"{PREFIX}DATABASE_URL: {error}.") from None
    for name in ("delivery", "delivery_free"):
        try:
            getattr(settings, name)
        except MoneyError as error:
            variable = "DELIVERY_CHARGE" if name == "delivery" else "DELIVERY_FREE_FROM"
            raise SettingsError(f"{PREFIX}{variable}: {error.message}") from None
    if (settings.create_purchase_user is None) != (settings.create_purchase_password is None):
        raise SettingsError(
            f"{PREFIX}CREATE_PURCHASE_USER and {PREFIX}CREATE_PURCHASE_PASSWORD: set both or neither."
        )


def secret_key(settings: Settings) -> str:
    """The key that signs sessions and notification URLs: the setting, or one made once under ``var/``.

    Raises:
        SettingsError: the file that keeps it holds no key.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path = VAR / "secret_key"
    key = kept_secret(path, 48)
    if len(key) < _SHORTEST_KEY:
        raise SettingsError(
            f"{path} holds no key of {_SHORTEST_KEY} characters: remove it, or set {PREFIX}SECRET_KEY."
        )
    return key


def kept_secret(path: Path, random_bytes: int) -> str:
    """The secret that ``path`` keeps for all processes of this machine; made when it is not there yet."""
    if not path.exists():
        _make_secret(path, random_bytes)
    return path.read_text().strip()


def _make_secret(path: Path, random_bytes: int) -> None:
    """Write the secret beside its place, then give it its name: nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Only the owner may read it.
    with NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}.") as draft:
        draft.write(secrets.token_urlsafe(random_bytes))
        draft.flush()
        with suppress(FileExistsError):  # another process was first: its secret counts
            os.link(draft.name, path)
