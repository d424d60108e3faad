"""The settings' page: what each is, no secret in it, and the doctor at work on what the process runs with."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from dashboard.pages import settings as page_of_settings
from orchestrator.configuration import variable
from orchestrator.database import Database
from orchestrator.doctor import Finding, Health
from orchestrator.settings import Settings
from tests.fixtures.dashboard import Office, at_office
from tests.fixtures.shop import SECRET

HERE = "/system/settings"
CHECKS = "/system/settings/checks"
WORD = "hunter2-hunter2"
SECRETS: dict[str, Any] = {
    "database_url": SecretStr(f"postgresql://shop:{WORD}-a@127.0.0.1:9/shop?password={WORD}-b"),
    "secret_key": SecretStr(f"{WORD}-c"),
    "seqr_password": SecretStr(f"{WORD}-d"),
    "create_purchase_password": SecretStr(f"{WORD}-e"),
    "api_token": SecretStr(f"{WORD}-f"),
    "admin_password": SecretStr(f"{WORD}-g"),
    "smtp_url": SecretStr(f"smtp://shop:{WORD}-h@127.0.0.1:9"),
}


def is_secret(name: str) -> bool:
    return "SecretStr" in str(Settings.model_fields[name].annotation)


@pytest.fixture
async def secretive_office(sqlite_only: Database) -> AsyncIterator[Office]:
    """An office in whose settings every secret is set."""
    others: dict[str, Any] = {
        "create_purchase_user": "seqr",
        "seqr_endpoint": f"http://seqr:{WORD}-i@127.0.0.1:9/soap",
        "seqr_principal_id": "shop",
        "seqr_timeout": 0.2,
    }
    async with at_office(sqlite_only, **SECRETS, **others) as opened:
        yield opened


async def test_the_settings_are_for_admins(office: Office) -> None:
    for name in ("vera", "olle"):
        visitor = await office.signed_in(name)
        assert "Only an admin" in await visitor.get(HERE, 403)
        assert "Only an admin" in await visitor.send(CHECKS, 403, form_at="/me")
    await (await office.signed_in("ada")).get(HERE)


async def test_every_setting_is_there_with_its_value_and_where_it_comes_from(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_POL_INTERVAL", WORD)
    page = await (await sqlite_office.signed_in("ada")).get(HERE)
    assert [name for name in Settings.model_fields if f"<code>{variable(name)}</code>" not in page] == []
    assert f"<code>{sqlite_office.base_url}</code>" in page
    assert "ORCHESTRATOR_POL_INTERVAL is no setting" in page
    assert "Did you mean ORCHESTRATOR_POLL_INTERVAL?" in page
    assert WORD not in page


def test_every_secret_is_among_those_tried() -> None:
    assert set(SECRETS) == {name for name in Settings.model_fields if is_secret(name)}


async def test_no_secret_of_any_setting_is_in_any_of_the_pages(secretive_office: Office) -> None:
    visitor = await secretive_office.signed_in("ada")
    pages = {path: await visitor.get(path) for path in ("/system", HERE, "/system/tokens", "/system/users")}
    pages[CHECKS] = await visitor.send(CHECKS, form_at=HERE)
    for path, page in pages.items():
        assert WORD not in page, path
        assert SECRET not in page, path
    assert "postgresql://shop@127.0.0.1:9/shop" in pages[HERE]
    assert pages[HERE].count('class="sign good"') == 5  # those that are set, and are no address
    assert 'class="findings"' in pages[CHECKS]


async def test_the_checks_are_of_the_running_settings_not_of_the_environment(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_SEQR_ENDPOINT", "http://127.0.0.1:9/soap")
    page = await (await sqlite_office.signed_in("ada")).send(CHECKS, form_at=HERE)
    findings = re.findall(r"<li>\s*<b>([^<]+)</b>", page)
    assert findings[:3] == ["Settings", "Variables", "Secret key"]
    assert "Missing: ORCHESTRATOR_SEQR_ENDPOINT" in page
    assert "Set them; SEQR gives them to you." in page


async def test_checks_asked_for_at_once_are_made_once(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, waiting, go = list[Settings](), list[object](), asyncio.Event()
    is_examination = re.compile("_examined").search
    shield = asyncio.shield

    async def examine(settings: Settings) -> list[Finding]:
        begun.append(settings)
        await go.wait()
        return [Finding(Health.OK, "It looks <fine>.", name="settings")]

    def counted(examination: asyncio.Future[object]) -> asyncio.Future[object]:
        if is_examination(repr(examination)):
            waiting.append(examination)
        if len(waiting) >= 3:
            go.set()
        return shield(examination)

    monkeypatch.setattr("orchestrator.doctor.examine", examine)
    visitor = await sqlite_office.signed_in("ada")
    monkeypatch.setattr(asyncio, "shield", counted)
    asked = [asyncio.create_task(visitor.send(CHECKS, form_at=HERE)) for _ in range(3)]
    for page in await asyncio.gather(*asked):
        assert "It looks &lt;fine&gt;." in page
        assert "All is as it has to be." in page
    assert len(begun) == 1


async def test_checks_that_take_too_long_are_given_up(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stuck(_: Settings) -> list[Finding]:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr("orchestrator.doctor.examine", stuck)
    monkeypatch.setattr(page_of_settings, "LONGEST", 0.05)
    visitor = await sqlite_office.signed_in("ada")
    for _ in range(2):
        assert "The checks did not end within" in await visitor.send(CHECKS, form_at=HERE)
