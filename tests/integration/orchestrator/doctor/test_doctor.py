"""The doctor's checks, against things that are well, ill and out of reach."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from orchestrator.doctor import CHECKS, Finding, Health, examination, examine
from orchestrator.doctor.ground import (
    check_database,
    check_migrations,
    check_secret_key,
    check_settings,
    check_variables,
)
from orchestrator.doctor.neighbours import (
    check_clock,
    check_public_address,
    check_seqr,
    check_smtp,
    check_wsdl,
    is_loopback,
    judge_clock,
    judge_unmeasured_clock,
)
from orchestrator.errors import OrchestratorError
from orchestrator.settings import Settings
from tests.fixtures.operations import NOWHERE, settings
from tests.fixtures.sandbox import served
from tests.fixtures.shop import Shop

PASSWORD = "mail-word-1"
COMPLETE: dict[str, Any] = {
    "seqr_endpoint": NOWHERE,
    "seqr_principal_id": "shop",
    "seqr_password": SecretStr("12345678"),
}


def is_empty(folder: Path) -> bool:
    return not list(folder.iterdir())


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


async def test_every_check_is_run_whatever_becomes_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fine(_: Settings) -> Finding:
        return Finding(Health.OK, "Fine, 12345678.")

    async def broken(_: Settings) -> Finding:
        raise RuntimeError("12345678 was wrong")

    async def refused(_: Settings) -> Finding:
        raise OrchestratorError("It cannot be.")

    async def stuck(_: Settings) -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(examination, "SECONDS", -0.9)
    checks = (("a", broken), ("b", refused), ("c", stuck), ("d", fine))
    found = await examine(settings(seqr_password=SecretStr("12345678"), seqr_timeout=1), checks)
    assert [(finding.name, finding.health.value) for finding in found] == [
        ("a", "fail"),
        ("b", "fail"),
        ("c", "fail"),
        ("d", "ok"),
    ]
    assert "did not end" in found[2].sentence
    assert "12345678" not in str(found)


async def test_a_finding_that_is_not_ok_has_a_remedy(tmp_path: Path) -> None:
    found = await examine(settings(database_url=SecretStr(f"sqlite:///{tmp_path}/none.db")))
    assert [finding.name for finding in found] == [name for name, _ in CHECKS]
    assert all(finding.remedy for finding in found if finding.health is not Health.OK)
    assert is_empty(tmp_path)


async def test_missing_settings_are_named() -> None:
    found = await check_settings(settings())
    assert found.health is Health.FAIL
    for name in ("SEQR_ENDPOINT", "SEQR_PRINCIPAL_ID", "SEQR_PASSWORD"):
        assert f"ORCHESTRATOR_{name}" in found.sentence


async def test_a_misspelt_variable_is_doubtful_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await check_variables(settings())).health is Health.OK
    monkeypatch.setenv("ORCHESTRATOR_SMTPURL", PASSWORD)
    found = await check_variables(settings())
    assert found.health is Health.WARN
    assert "ORCHESTRATOR_SMTPURL is no setting" in found.sentence
    assert "Did you mean ORCHESTRATOR_SMTP_URL?" in found.sentence
    assert PASSWORD not in str(found)


async def test_an_open_create_purchase_is_doubtful() -> None:
    assert (await check_settings(settings(**COMPLETE))).health is Health.WARN
    closed = settings(**COMPLETE, create_purchase_user="seqr", create_purchase_password=SecretStr("hush"))
    assert (await check_settings(closed)).health is Health.OK


async def test_many_machines_need_one_key() -> None:
    shared = SecretStr("postgresql://shop:pw@db/shop")
    assert (await check_secret_key(settings())).health is Health.OK
    assert (await check_secret_key(settings(database_url=shared))).health is Health.WARN
    keyed = settings(database_url=shared, secret_key=SecretStr("k" * 32))
    assert (await check_secret_key(keyed)).health is Health.OK


async def test_a_migrated_database_is_well(database_url: str) -> None:
    found = settings(database_url=SecretStr(database_url))
    told = await check_database(found)
    assert told.health is Health.OK
    assert "answers in" in told.sentence
    assert (await check_migrations(found)).health is Health.OK


async def test_a_database_without_tables_is_ill(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    found = await check_migrations(settings(database_url=SecretStr(f"sqlite:///{path}")))
    assert (found.health, found.remedy) == (Health.FAIL, "Type: orchestrator migrate")


async def test_a_database_that_nobody_serves_is_ill_without_its_password() -> None:
    address = f"postgresql://shop:data-word-1@127.0.0.1:{unused_port()}/shop"
    checks = (("database", check_database), ("migrations", check_migrations))
    found = await examine(settings(database_url=SecretStr(address)), checks)
    assert {finding.health for finding in found} == {Health.FAIL}
    assert "data-word-1" not in str(found)


async def test_the_wsdl_that_ships_is_well_and_another_file_is_not(tmp_path: Path) -> None:
    assert (await check_wsdl(settings())).health is Health.OK
    other = tmp_path / "other.wsdl"
    other.write_text("<html/>")
    (found,) = await examine(settings(seqr_wsdl=str(other)), (("WSDL", check_wsdl),))
    assert found.health is Health.FAIL
    assert "ORCHESTRATOR_SEQR_WSDL" in found.sentence


async def test_seqr_is_asked_with_our_credentials(shop: Shop) -> None:
    good = shop.parts.settings
    assert (await check_seqr(good)).health is Health.OK
    wrong = await check_seqr(good.model_copy(update={"seqr_password": SecretStr("87654321")}))
    assert wrong.health is Health.FAIL
    assert "_PASSWORD" in wrong.remedy


async def test_seqr_out_of_reach_or_unset_is_ill() -> None:
    away = await check_seqr(settings(**{**COMPLETE, "seqr_endpoint": f"http://127.0.0.1:{unused_port()}/"}))
    assert away.health is Health.FAIL
    assert "ORCHESTRATOR_SEQR_ENDPOINT" in away.remedy
    assert (await check_seqr(settings())).health is Health.FAIL


class Post:
    """A mail server that lets in who knows the password."""

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        right = data.password.decode() == PASSWORD
        return AuthResult(success=right, handled=right)


@asynccontextmanager
async def mail_server() -> AsyncIterator[int]:
    post = Post()

    def connection() -> SMTP:
        return SMTP(post, hostname="mail.test", authenticator=post.authenticate, auth_require_tls=False)

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def post_checked(port: int, user: str = "") -> Finding:
    address = SecretStr(f"smtp://{user}127.0.0.1:{port}")
    (found,) = await examine(settings(smtp_url=address), (("SMTP", check_smtp),))
    return found


async def test_the_mail_server_is_asked_to_let_us_in() -> None:
    assert (await check_smtp(settings())).health is Health.WARN
    async with mail_server() as port:
        assert (await post_checked(port)).health is Health.OK
        assert (await post_checked(port, f"shop:{PASSWORD}@")).health is Health.OK
        wrong = await post_checked(port, "shop:wrong-word-1@")
    assert wrong.health is Health.FAIL
    assert "wrong-word-1" not in str(wrong)
    assert (await post_checked(unused_port())).health is Health.FAIL


@asynccontextmanager
async def our_address(status: int = 200) -> AsyncIterator[str]:
    async def healthz(_: Request) -> Response:
        return JSONResponse({}, status)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        app = Starlette(routes=[Route("/healthz", healthz)])
        async with served(app, listening):
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"


async def test_the_public_address_answers_or_not() -> None:
    async with our_address() as address:
        assert (await check_public_address(settings(public_url=address))).health is Health.OK
    async with our_address(502) as address:
        assert "502" in (await check_public_address(settings(public_url=address))).sentence
    silent = settings(public_url=f"http://127.0.0.1:{unused_port()}")
    assert (await check_public_address(silent)).health is Health.WARN


async def test_seqr_cannot_call_a_loopback_address() -> None:
    found = await check_public_address(settings(seqr_endpoint="https://seqr.example/service"))
    assert found.health is Health.FAIL
    assert "ORCHESTRATOR_PUBLIC_URL" in found.remedy


@pytest.mark.parametrize(
    ("address", "only_here"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.8.0.1", True),
        ("http://[::1]:8000", True),
        ("http://localhost:8000", True),
        ("http://shop.localhost", True),
        ("https://shop.example", False),
        ("http://192.168.1.5", False),
        ("http://localhost.example", False),
    ],
)
def test_which_addresses_are_this_machines_own(address: str, only_here: bool) -> None:
    assert is_loopback(address) is only_here


@pytest.mark.parametrize(
    ("ahead", "health"),
    [(0, "ok"), (-4.9, "ok"), (6, "warn"), (-59, "warn"), (61, "fail"), (-7200, "fail")],
)
def test_the_clock_is_compared_with_seqrs(ahead: float, health: str) -> None:
    found = judge_clock(ahead)
    assert found.health.value == health
    if health != "ok":
        assert ("behind" in found.sentence) == (ahead < 0)


async def test_the_clock_of_seqr_is_in_its_answers(shop: Shop) -> None:
    assert await check_clock(shop.parts.settings) == Finding(Health.OK, "The clock agrees with SEQR's.")


async def test_without_seqrs_clock_only_nonsense_is_seen() -> None:
    assert (await check_clock(settings())).health is Health.WARN
    assert judge_unmeasured_clock(datetime(1970, 1, 1, tzinfo=UTC)).health is Health.FAIL


async def test_a_database_file_is_not_made_by_looking(tmp_path: Path) -> None:
    found = settings(database_url=SecretStr(f"sqlite:///{tmp_path}/none.db"))
    assert (await check_database(found)).health is Health.FAIL
    assert (await check_migrations(found)).health is Health.FAIL
    assert is_empty(tmp_path)
