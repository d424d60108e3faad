"""Settings: a wrong one is told in one line that names the variable; a secret never shows."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from orchestrator.settings import Settings, SettingsError, load, secret_key

SECRET = "hunter2-hunter2-hunter2"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.upper().startswith("ORCHESTRATOR_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_the_contracts_defaults() -> None:
    found = load()
    assert found.database == "sqlite:///var/orchestrator.db"
    assert found.public_url == "http://127.0.0.1:8000"
    assert (found.seqr_endpoint, found.seqr_wsdl, found.seqr_principal_type) == (None, None, "TERMINALID")
    assert (found.seqr_timeout, found.poll_interval, found.invoice_ttl) == (10, 2, 900)
    assert (found.smtp_url, found.mail_from) == (None, "shop@localhost")
    assert (str(found.delivery), found.delivery_free) == ("0.00 SEK", None)
    assert (found.shop_name, found.webshop_id, found.currency) == ("Demo shop", "demo", "SEK")


@pytest.mark.parametrize(
    ("changes", "locale"),
    [
        ({}, "sv_SE"),
        ({"currency": "EUR"}, "en_IE"),
        ({"currency": "CHF"}, "en"),
        ({"locale": "fi-FI", "currency": "EUR"}, "fi_FI"),
    ],
)
def test_money_is_written_as_where_it_is_used_unless_a_locale_is_set(
    changes: dict[str, str], locale: str
) -> None:
    assert load(**changes).money_locale == locale


WRONG = [
    ("DATABASE_URL", "mysql://shop@db/shop", "sqlite:///path or postgresql"),
    ("PUBLIC_URL", "shop.example", "https:// address"),
    ("PUBLIC_URL", "ftp://shop.example", "https:// address"),
    ("SECRET_KEY", "short", "at least 16 characters"),
    ("SEQR_ENDPOINT", "nowhere", "http:// or https:// address"),
    ("SEQR_PRINCIPAL_TYPE", "TERMINAL", "'TERMINALID' or 'RESELLERUSER'"),
    ("SEQR_PASSWORD", "abc", "at least 4"),
    ("SEQR_TIMEOUT", "0", "greater than 0"),
    ("SEQR_TIMEOUT", "soon", "should be a number"),
    ("SEQR_TIMEOUT", "nan", "than"),
    ("API_TOKEN", "short", "at least 16"),
    ("ADMIN_PASSWORD", "short", "at least 8"),
    ("CREATE_PURCHASE_IN_FLIGHT", "0", "greater than or equal to 1"),
    ("POLL_INTERVAL", "10.1", "less than or equal to 10"),
    ("POLL_INTERVAL", "-1", "greater than 0"),
    ("INVOICE_TTL", "0", "greater than or equal to 1"),
    ("INVOICE_TTL", "inf", "less than or equal to"),
    ("EXCHANGE_DAYS", "0.5", "should be a whole number"),
    ("SMTP_URL", "http://mail", "smtp://user:pw@host:25"),
    ("MAIL_FROM", "nobody", "match pattern"),
    ("LOCALE", "sv_XX_nonsense!", "a locale such as sv_SE"),
    ("TIME_ZONE", "Mars/Olympus", "a time zone such as Europe/Stockholm"),
    ("TIME_ZONE", "../etc/passwd", "a time zone such as Europe/Stockholm"),
    ("MAIL_FROM", "a@b\r\nBcc: x@y", "match pattern"),
    ("DELIVERY_CHARGE", "-1", "greater than or equal to 0"),
    ("DELIVERY_CHARGE", "49.999", "more decimals than SEK"),
    ("DELIVERY_CHARGE", "1e12", "not an amount"),
    ("DELIVERY_FREE_FROM", "0.001", "more decimals than SEK"),
    ("DELIVERY_TAX_RATE", "101", "less than or equal to 100"),
    ("BUNDLE_ROWS", "two", "'parts' or 'one'"),
    ("WEBSHOP_ID", "my shop", "match pattern"),
    ("CURRENCY", "KR", "ISO 4217"),
    ("QR_TEMPLATE", "HTTP://SEQR.SE/000/wss", "{token}"),
    ("LOG_FORMAT", "xml", "'auto', 'json' or 'text'"),
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG)
def test_a_wrong_value_is_told_in_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(f"ORCHESTRATOR_{name}", value)
    with pytest.raises(SettingsError) as wrong:
        load()
    assert wrong.value.message.startswith(f"ORCHESTRATOR_{name}: ")
    assert words in wrong.value.message
    assert "\n" not in wrong.value.message


@pytest.mark.parametrize(("set_one", "other"), [("USER", "PASSWORD"), ("PASSWORD", "USER")])
def test_half_of_the_createpurchase_credentials_is_refused(
    monkeypatch: pytest.MonkeyPatch, set_one: str, other: str
) -> None:
    monkeypatch.setenv(f"ORCHESTRATOR_CREATE_PURCHASE_{set_one}", SECRET)
    with pytest.raises(SettingsError, match=f"ORCHESTRATOR_CREATE_PURCHASE_{other}") as wrong:
        load()
    assert SECRET not in wrong.value.message


SECRETS = {
    "DATABASE_URL": f"postgresql://shop:{SECRET}@db/shop",
    "SECRET_KEY": SECRET,
    "SEQR_PASSWORD": SECRET,
    "CREATE_PURCHASE_PASSWORD": SECRET,
    "API_TOKEN": SECRET,
    "ADMIN_PASSWORD": SECRET,
    "SMTP_URL": f"smtp://shop:{SECRET}@mail:25",
}


def test_no_secret_shows_in_the_settings_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"ORCHESTRATOR_{name}", value)
    monkeypatch.setenv("ORCHESTRATOR_CREATE_PURCHASE_USER", "seqr")
    found = load()
    assert SECRET not in f"{found} {found!r} {found.model_dump()} {found.model_dump_json()}"
    assert found.database == SECRETS["DATABASE_URL"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", f"mysql://u:{SECRET}@db"),
        ("SMTP_URL", f"mail://u:{SECRET}@m"),
        ("SEQR_PASSWORD", "pw1"),
    ],
)
def test_no_wrong_secret_shows_in_the_complaint(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"ORCHESTRATOR_{name}", value)
    with pytest.raises(SettingsError) as wrong:
        load()
    assert value not in repr(wrong.value)
    assert SECRET not in repr(wrong.value)
    assert wrong.value.__suppress_context__


def test_the_public_address_loses_its_slash_and_empty_values_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_PUBLIC_URL", "https://shop.example/base/")
    monkeypatch.setenv("ORCHESTRATOR_SMTP_URL", "")
    monkeypatch.setenv("ORCHESTRATOR_DELIVERY_FREE_FROM", "500")
    found = load()
    assert (found.public_url, found.smtp_url) == ("https://shop.example/base", None)
    assert str(found.delivery_free) == "500.00 SEK"


def test_the_environment_wins_over_the_file_and_arguments_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("ORCHESTRATOR_SHOP_NAME=File\nORCHESTRATOR_WEBSHOP_ID=file\nOTHER=1\n")
    monkeypatch.setenv("ORCHESTRATOR_SHOP_NAME", "Environment")
    assert (load().shop_name, load().webshop_id) == ("Environment", "file")
    assert load(shop_name="Argument").shop_name == "Argument"


def test_a_set_key_is_used_as_it_is() -> None:
    assert secret_key(Settings(_env_file=None, secret_key=SecretStr(SECRET))) == SECRET
    assert not Path("var").exists()


def test_a_key_is_made_once_and_kept_for_the_owner_alone() -> None:
    made = secret_key(load())
    assert len(made) >= 48
    assert secret_key(load()) == made
    assert stat.S_IMODE(Path("var/secret_key").stat().st_mode) == 0o600
    assert [path.name for path in Path("var").iterdir()] == ["secret_key"]


def test_processes_that_start_together_get_one_key() -> None:
    with ThreadPoolExecutor(8) as several:
        keys = set(several.map(lambda _: secret_key(load()), range(40)))
    assert len(keys) == 1
    assert len(keys.pop()) >= 48


def test_a_spoilt_key_file_is_told_not_used() -> None:
    Path("var").mkdir()
    Path("var/secret_key").write_text("\n")
    with pytest.raises(SettingsError, match="secret_key"):
        secret_key(load())
