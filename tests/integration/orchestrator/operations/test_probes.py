"""What monitors are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from orchestrator.database import Database, open_database
from orchestrator.rest import probes
from tests.fixtures.operations import NoDatabase, calling, parts_on


async def asked(
    database: Database, path: str, scheduler: Callable[[], str | None] = lambda: None
) -> tuple[int, dict[str, Any]]:
    async with calling(probes.routes(parts_on(database), scheduler)) as http:
        answer = await http.get(path, headers={"Authorization": ""})
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status_code, answer.json()


async def test_the_process_is_alive_whatever_else_is_wrong() -> None:
    assert await asked(NoDatabase(), "/healthz", lambda: "It stands still.") == (200, {"status": "alive"})


async def test_it_is_ready_when_all_is_well(database: Database) -> None:
    status, body = await asked(database, "/readyz")
    assert (status, body["status"]) == (200, "ready")
    assert body["checks"] == {"database": "ok", "migrations": "ok", "scheduler": "ok"}


async def test_a_scheduler_that_stands_still_is_told(database: Database) -> None:
    status, body = await asked(database, "/readyz", lambda: "The scheduler does not run.")
    assert (status, body["error"], body["message"]) == (503, "not_ready", "The scheduler does not run.")
    assert body["checks"]["database"] == "ok"


async def test_a_database_out_of_reach_is_told_once() -> None:
    status, body = await asked(NoDatabase(), "/readyz")
    assert status == 503
    assert body["message"].count("The database does not answer") == 1
    assert body["checks"]["scheduler"] == "ok"


async def test_a_database_without_tables_is_told_what_to_type(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/empty.db")
    status, body = await asked(database, "/readyz")
    await database.close()
    assert status == 503
    assert "orchestrator migrate" in body["checks"]["migrations"]
    assert body["checks"]["database"] == "ok"


async def test_a_database_of_another_version_is_told(database: Database) -> None:
    def age(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    await database.write(age)
    status, body = await asked(database, "/readyz")
    assert status == 503
    assert "is at 0000" in body["message"]


class Stuck(NoDatabase):
    """A database that takes every question and answers none."""

    async def _read(self, work: Callable[[Connection], Any]) -> Any:
        await asyncio.Event().wait()


async def test_a_database_that_does_not_answer_in_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "DATABASE_SECONDS", 0.05)
    status, body = await asked(Stuck(), "/readyz")
    assert (status, body["message"]) == (503, "The database did not answer within 0.05 s.")
