"""The settings as a list for people: each with its variable, its value unless it is secret, where that comes
from, and what it is for. And variables that look like settings and are none."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from pydantic import SecretStr
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from orchestrator.secrecy import Secrecy
from orchestrator.settings import PREFIX, Settings

ADDRESSES = ("database_url", "smtp_url")
"""Secret for the password in them; the rest of the address is told."""


class Source(StrEnum):
    """Where a value comes from, the strongest first."""

    COMMAND = "command"
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is. Texts have code in backticks."""

    name: str
    """The field of ``Settings``."""
    value: str | None
    """What it is set to; None for a secret, and for one that nothing sets."""
    secret: bool
    given: bool
    """Whether it has a value."""
    source: Source
    default: str
    meaning: str

    @property
    def variable(self) -> str:
        """The environment variable."""
        return variable(self.name)


def variable(name: str) -> str:
    """The environment variable of a field."""
    return PREFIX + name.upper()


def listed(settings: Settings) -> list[Setting]:
    """Every setting in the order in which they are documented. No secret is in it."""
    hide = Secrecy.of(settings).hide
    environment, file = _environment(), _file()
    return [_setting(settings, name, hide(_shown(settings, name)), environment, file) for name in _names()]


def default_of(name: str) -> str:
    """What goes when nobody sets the field, in words."""
    field = Settings.model_fields[name]
    extra = field.json_schema_extra
    unset = extra.get("unset") if isinstance(extra, dict) else None
    if unset:
        return str(unset)
    value = field.default
    return "-" if value is None else f"`{_text(value)}`"


def misspelt() -> list[str]:
    """One sentence for each variable that begins like a setting and is none: it has no effect."""
    unknown = [name for name in {**_file(), **_environment()} if _is_ours(name) and not _is_known(name)]
    return [_sentence(name.upper()) for name in sorted(unknown)]


def _sentence(unknown: str) -> str:
    near = get_close_matches(unknown.removeprefix(PREFIX).lower(), _names(), n=1)
    hint = f"Did you mean {variable(near[0])}?" if near else "docs/operations.md has those that there are."
    return f"{unknown} is no setting and has no effect. {hint}"


def _setting(
    settings: Settings,
    name: str,
    value: str,
    environment: dict[str, str],
    file: dict[str, str],
) -> Setting:
    secret = _is_secret(name)
    given = getattr(settings, name) is not None
    return Setting(
        name=name,
        value=value if given and not secret else None,
        secret=secret,
        given=given,
        source=_source(settings, name, environment, file),
        default=default_of(name),
        meaning=Settings.model_fields[name].description or "",
    )


def _source(settings: Settings, name: str, environment: dict[str, str], file: dict[str, str]) -> Source:
    if name in settings.commanded:
        return Source.COMMAND
    if name not in settings.model_fields_set:
        return Source.DEFAULT
    key = variable(name).lower()
    return Source.FILE if key in file and key not in environment else Source.ENVIRONMENT


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if not isinstance(value, SecretStr):
        return _text(value)
    return without_password(value.get_secret_value()) if name in ADDRESSES else ""


def without_password(address: str) -> str:
    """The address without what only the owner may know: the password, and what stands behind a ``?``."""
    scheme, colon, rest = address.partition("://")
    user, at, place = rest.rpartition("@")  # the last one: a password may have any sign in it
    return f"{scheme}{colon}{user.partition(':')[0]}{at}{place.partition('?')[0]}"


def _text(value: object) -> str:
    if isinstance(value, SecretStr):  # a default, which is public
        return value.get_secret_value()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_secret(name: str) -> bool:
    return name not in ADDRESSES and "SecretStr" in str(Settings.model_fields[name].annotation)


def _names() -> list[str]:
    return list(Settings.model_fields)


def _is_ours(name: str) -> bool:
    return name.upper().startswith(PREFIX)


def _is_known(name: str) -> bool:
    return name.upper().removeprefix(PREFIX).lower() in Settings.model_fields


def _environment() -> dict[str, str]:
    return _filled(EnvSettingsSource(Settings))


def _file() -> dict[str, str]:
    """What the file ``.env`` says."""
    return _filled(DotEnvSettingsSource(Settings))


def _filled(source: EnvSettingsSource) -> dict[str, str]:
    """By variable in small letters; empty ones count for nothing."""
    return {name.lower(): value for name, value in source.env_vars.items() if value}
