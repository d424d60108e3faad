"""Settings: environment variables beginning with ``ORCHESTRATOR_``, a ``.env`` file beneath them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from orchestrator.errors import OrchestratorError
from orchestrator.money import Money, MoneyError
from orchestrator.secret_file import kept_secret
from orchestrator.setting_values import (
    Currency,
    LocaleName,
    Networks,
    QrTemplate,
    SmtpUrl,
    TimeZone,
    WebAddress,
    database_url,
    in_words,
)

PREFIX = "ORCHESTRATOR_"
VAR = Path("var")
"""Where the project keeps what it makes: the SQLite file and the secret key."""
_SHORTEST_KEY = 16
_LOCALES = {"SEK": "sv_SE", "DKK": "da_DK", "NOK": "nb_NO", "EUR": "en_IE", "GBP": "en_GB", "USD": "en_US"}
"""How amounts are written where a currency is used."""


class SettingsError(OrchestratorError):
    """A setting is wrong."""

    code = "wrong_setting"


def _set(default: Any, meaning: str, *, unset: str = "", **limits: Any) -> Any:
    """A field. ``meaning`` is told in the documentation and on the dashboard, code in backticks; ``unset``
    says what happens by default where the default itself does not."""
    return Field(default=default, description=meaning, json_schema_extra={"unset": unset}, **limits)


class Settings(BaseSettings):
    """Everything that can be set; the field ``poll_interval`` is the variable
    ``ORCHESTRATOR_POLL_INTERVAL``. Durations are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    database_url: Annotated[SecretStr, Field(validate_default=True)] = _set(
        SecretStr("sqlite:///var/orchestrator.db"),
        "where everything is kept: `sqlite:///path` or `postgresql://user:pw@host/db`",
    )
    public_url: WebAddress = _set(
        "http://127.0.0.1:8000", "where SEQR and customers reach us; base of the notification addresses"
    )
    secret_key: SecretStr | None = _set(
        None,
        "signs sessions and notification addresses; 16 characters or more",
        unset="made once, kept in `var/secret_key`",
        min_length=_SHORTEST_KEY,
    )

    seqr_endpoint: WebAddress | None = _set(
        None, "SEQR's SOAP service", unset="the sandbox in `demo`; required in `serve`"
    )
    seqr_wsdl: str | None = _set(None, "path or address of another WSDL", unset="the one that ships")
    seqr_principal_type: Literal["TERMINALID", "RESELLERUSER"] = _set(
        "TERMINALID", "`TERMINALID` or `RESELLERUSER`"
    )
    seqr_principal_id: str | None = _set(
        None, "the terminal or user that SEQR gave you", unset="required in `serve`"
    )
    seqr_user_id: str | None = _set(None, "goes with `RESELLERUSER`, usually 9900")
    seqr_password: SecretStr | None = _set(
        None,
        "goes with the terminal or user; 4 characters or more",
        unset="required in `serve`",
        min_length=4,
    )
    seqr_timeout: float = _set(10, "seconds for one SOAP call; up to 60", gt=0, le=60)

    create_purchase_user: str | None = _set(None, "with the password: createPurchase demands HTTP Basic")
    create_purchase_password: SecretStr | None = _set(None, "goes with the user: set both or neither")
    create_purchase_in_flight: int = _set(
        500,
        "so many createPurchase requests at a time in one process; more are answered 429",
        ge=1,
        le=100_000,
    )
    create_purchase_per_minute: int = _set(
        1200,
        "so many createPurchase requests from one network address, at once or over a minute; more are "
        "answered 429; 0 for no limit",
        ge=0,
        le=1_000_000,
    )
    api_per_minute: int = _set(
        1200, "likewise for `/api/v1`; for each process, as the one above", ge=0, le=1_000_000
    )
    unpaid_per_phone: int = _set(
        20,
        "so many unpaid purchases at a time for one phone number (without one: mail address); 0 for no limit",
        ge=0,
        le=100_000,
    )
    unpaid_share: int = _set(
        100,
        "percent of a product's pieces that unpaid purchases may hold; the rest waits for payers",
        ge=1,
        le=100,
    )
    trusted_proxies: Networks = _set(
        "",
        "networks, such as `10.0.0.0/8, ::1`, of the proxies in front of us: from them alone is believed for "
        "whom they call",
        unset="none",
    )
    forwarded_header: Literal["x-forwarded-for", "forwarded"] = _set(
        "x-forwarded-for", "the header in which those proxies say so: `x-forwarded-for` or `forwarded`"
    )
    connections: int = _set(
        2000, "so many connections at a time in one process; more are answered 503", ge=10, le=100_000
    )
    connections_per_address: int = _set(
        500, "so many of them from one network address that is no trusted proxy", ge=1, le=100_000
    )
    api_token: SecretStr | None = _set(
        None,
        "a bearer token for `/api/v1`, 16 characters or more; its actor is `api:settings`",
        min_length=16,
    )
    admin_password: SecretStr | None = _set(
        None, "makes the user `admin` at the start, if there is no admin; 8 characters or more", min_length=8
    )

    poll_interval: float = _set(2, "seconds between questions about a fresh invoice; up to 10", gt=0, le=10)
    invoice_ttl: float = _set(
        900,
        "seconds after which an unpaid invoice is cancelled at SEQR and the purchase fails as `expired`",
        ge=1,
        le=30 * 24 * 3600,
    )
    exchange_days: int = _set(
        30, "days for which calls to SEQR and its notifications are kept", ge=1, le=3650
    )
    customer_retention_days: int = _set(
        0, "days after which finished purchases forget their customers; 0 for never", ge=0, le=36_500
    )

    smtp_url: SmtpUrl | None = _set(
        None,
        "the mail server: `smtp://user:pw@host:25`, `smtps://`, `smtp+starttls://`",
        unset="none; mail is kept and shown in the dashboard",
    )
    mail_from: str = _set(
        "shop@localhost",
        "sender of the mails",
        pattern=r"^[^\x00-\x1f\x7f]+@[^\x00-\x20\x7f@]+$",
        max_length=254,
    )
    mail_templates: Path | None = _set(
        None, "a directory with templates of your own: see docs/mail.md", unset="those that ship"
    )

    delivery_charge: Decimal = _set(Decimal(0), "an invoice row of its own, in the shop's currency", ge=0)
    delivery_free_from: Decimal | None = _set(None, "goods worth this much are delivered free", ge=0)
    delivery_tax_rate: Decimal = _set(Decimal(25), "percent of tax in the delivery charge", ge=0, le=100)
    bundle_rows: Literal["parts", "one"] = _set(
        "parts", "a bundle on the invoice as its `parts`, or as `one` row"
    )
    low_stock: int = _set(5, "so few pieces available, or fewer, mark a product as low", ge=0, le=1_000_000)
    shop_name: str = _set(
        "Demo shop", "title of the invoice, up to 80 characters", min_length=1, max_length=80
    )
    webshop_id: str = _set("demo", "SEQR's id of the web-shop", pattern=r"^[A-Za-z0-9._-]{1,64}$")
    currency: Currency = _set("SEK", "default currency, ISO 4217")
    locale: LocaleName | None = _set(
        None,
        "how the dashboard writes money and numbers, such as `sv_SE`",
        unset="as where the currency is used",
    )
    time_zone: TimeZone = _set(
        "Europe/Stockholm", "where the shop's days begin, and in which the dashboard tells times"
    )
    back_url: WebAddress | None = _set(None, "where the phone's browser goes after paying or cancelling")
    qr_template: QrTemplate = _set(
        "HTTP://SEQR.SE/000/wss?w={webshop_id}&t={token}",
        "content of the product's QR code; see docs/qr-codes.md",
    )
    seqr_app: Literal["live", "demo"] = _set(
        "live",
        "which app the dashboard's links open: `live` is `seqr://`, `demo` SEQR's demo app, `seqr-demo://`",
    )

    log_level: Literal["debug", "info", "warning", "error"] = _set(
        "info", "how much is logged: `debug`, `info`, `warning`, `error`"
    )
    log_format: Literal["auto", "json", "text"] = _set(
        "auto", "how it is logged: `text`, `json`; `auto` is text on a terminal and JSON elsewhere"
    )

    _commanded: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def commanded(self) -> frozenset[str]:
        """The fields whose values the command gave, whatever the environment says."""
        return self._commanded

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
        settings._commanded = frozenset(overrides)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise SettingsError(f"{name}: {in_words(dict(first))}.") from None
    _check_together(settings)
    return settings


def _check_together(settings: Settings) -> None:
    try:
        database_url(settings.database)
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
