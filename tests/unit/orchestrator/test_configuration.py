"""The settings as a list: where each value comes from, no secret in it; and variables that are misspelt."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.configuration import Setting, Source, listed, misspelt, without_password
from orchestrator.settings import Settings, load

SECRET = "hunter2-hunter2-hunter2"
SECRETS = {
    "DATABASE_URL": f"postgresql://shop:{SECRET}@db/shop",
    "SECRET_KEY": SECRET,
    "SEQR_PASSWORD": SECRET,
    "CREATE_PURCHASE_PASSWORD": SECRET,
    "API_TOKEN": SECRET,
    "ADMIN_PASSWORD": SECRET,
    "SMTP_URL": f"smtp://shop:{SECRET}@mail:25",
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.upper().startswith("ORCHESTRATOR_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def by_name(settings: Settings) -> dict[str, Setting]:
    return {setting.name: setting for setting in listed(settings)}


def test_every_setting_is_listed_and_says_what_it_is_for() -> None:
    found = by_name(load())
    assert list(found) == list(Settings.model_fields)
    assert all(setting.meaning and setting.default for setting in found.values())
    assert all(setting.source is Source.DEFAULT for setting in found.values())
    assert (found["seqr_timeout"].variable, found["seqr_timeout"].value) == (
        "ORCHESTRATOR_SEQR_TIMEOUT",
        "10",
    )
    assert (found["seqr_timeout"].default, found["back_url"].default) == ("`10`", "-")
    assert found["secret_key"].default == "made once, kept in `var/secret_key`"


def test_no_secret_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"ORCHESTRATOR_{name}", value)
    monkeypatch.setenv("ORCHESTRATOR_CREATE_PURCHASE_USER", "seqr")
    monkeypatch.setenv("ORCHESTRATOR_BACK_URL", f"https://{SECRET}@shop.example/{SECRET}")
    found = by_name(load())
    assert SECRET not in repr(found)
    assert (found["api_token"].secret, found["api_token"].given, found["api_token"].value) == (
        True,
        True,
        None,
    )
    assert found["database_url"].value == "postgresql://shop@db/shop"
    assert found["smtp_url"].value == "smtp://shop@mail:25"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("sqlite:///var/orchestrator.db", "sqlite:///var/orchestrator.db"),
        ("postgresql://db/shop", "postgresql://db/shop"),
        ("postgresql://shop:pw@db:5432/shop", "postgresql://shop@db:5432/shop"),
        ("postgresql://shop:p#/@?w@db/shop?password=pw", "postgresql://shop@db/shop"),
        ("postgresql://:pw@db/shop", "postgresql://@db/shop"),
        ("smtp://:pw@mail", "smtp://@mail"),
    ],
)
def test_an_address_is_shown_without_its_password(address: str, shown: str) -> None:
    assert without_password(address) == shown


def test_where_a_value_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("ORCHESTRATOR_SHOP_NAME=File\nORCHESTRATOR_WEBSHOP_ID=file\n")
    monkeypatch.setenv("ORCHESTRATOR_SHOP_NAME", "Environment")
    monkeypatch.setenv("ORCHESTRATOR_CURRENCY", "EUR")
    found = by_name(load(currency="SEK"))
    assert (found["shop_name"].value, found["shop_name"].source) == ("Environment", Source.ENVIRONMENT)
    assert (found["webshop_id"].value, found["webshop_id"].source) == ("file", Source.FILE)
    assert (found["currency"].value, found["currency"].source) == ("SEK", Source.COMMAND)
    assert found["seqr_timeout"].source is Source.DEFAULT


def test_a_misspelt_variable_is_told_with_the_nearest_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("ORCHESTRATOR_SHOPNAME=File\nOTHER=1\nORCHESTRATOR_EMPTY=\n")
    monkeypatch.setenv("ORCHESTRATOR_POL_INTERVAL", SECRET)
    monkeypatch.setenv("ORCHESTRATOR_XYZZY", SECRET)
    monkeypatch.setenv("orchestrator_currency", "SEK")
    assert misspelt() == [
        "ORCHESTRATOR_POL_INTERVAL is no setting and has no effect. Did you mean ORCHESTRATOR_POLL_INTERVAL?",
        "ORCHESTRATOR_SHOPNAME is no setting and has no effect. Did you mean ORCHESTRATOR_SHOP_NAME?",
        "ORCHESTRATOR_XYZZY is no setting and has no effect. docs/operations.md has those that there are.",
    ]


def test_nothing_is_misspelt_where_nothing_is_set() -> None:
    assert misspelt() == []
