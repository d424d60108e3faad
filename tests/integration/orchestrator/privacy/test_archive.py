"""That the archive step of docs/operations.md does what it says: tried as it is written there."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from orchestrator import erasure, exchange, replay
from orchestrator.doctor import Health
from orchestrator.doctor.ground import check_journal
from orchestrator.identity import first_id, new_id
from orchestrator.models import METADATA
from orchestrator.tables import bulk_items, journal, notifications, purchases
from tests.fixtures.desk import Desk
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.sandbox import ROOT
from tests.fixtures.shop import settings
from tests.integration.orchestrator.privacy.test_erasure import ASA, sold

SECTION = (ROOT / "docs" / "operations.md").read_text("utf-8").partition("## What is old")[2]
POSTGRESQL, SQLITE = re.findall(r"```sql\n(.*?)```", SECTION.partition("\n## ")[0], re.DOTALL)
WRITTEN_DAY = "'0188c000'"
LEFT = {"stock_movements"}
"""What still names a purchase that is archived."""


async def archive(desk: Desk, url: str) -> None:
    """Run the procedure for what was made before yesterday."""
    day = f"'{first_id(desk.clock() - timedelta(days=1))[:8]}'"
    if desk.database.dialect == "sqlite":
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            file.executescript(SQLITE.replace(WRITTEN_DAY, day))
        return
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute(POSTGRESQL.replace(WRITTEN_DAY, day))
    await connection.close()


def named(connection: Connection, purchase_id: str) -> set[str]:
    """The tables that name a purchase."""
    tables = [table for table in METADATA.sorted_tables if "purchase_id" in table.c]
    return {
        table.name
        for table in tables
        if connection.execute(select(table).where(table.c.purchase_id == purchase_id)).first()
    }


async def test_what_is_old_at_rest_and_erased_goes_with_all_that_is_its_own(
    desk: Desk, database_url: str
) -> None:
    gone, known, waits = [await sold(desk, ASA) for _ in range(3)]
    await desk.database.write(erasure.blank, [gone, waits], desk.clock())
    desk.clock.turn(400 * 86_400)
    new = await sold(desk, ASA)
    await desk.database.write(erasure.blank, [new], desk.clock())
    await desk.database.write(_plan, waits, desk.clock())
    assert {"journal", "invoice_attempts", "exchanges", "outbox"} <= await desk.database.read(named, gone)

    for _ in range(2):
        await archive(desk, database_url)
        assert {row["id"] for row in await desk.purchases()} == {known, waits, new}
    assert await desk.database.read(named, gone) == LEFT
    assert not (await desk.database.read(replay.sample)).disagreements
    with pytest.raises(DBAPIError, match="only grows"):
        await desk.database.write(lambda connection: connection.execute(delete(journal)))
    assert await desk.buy(ASA)


def _plan(connection: Connection, purchase_id: str, at: datetime) -> None:
    """Somebody will look at it."""
    connection.execute(update(purchases).where(purchases.c.id == purchase_id).values(next_check_at=at))


@pytest.mark.parametrize("words", [POSTGRESQL, SQLITE], ids=["postgresql", "sqlite"])
def test_every_table_that_hangs_on_a_purchase_is_named(words: str) -> None:
    hanging = {
        table.name
        for table in METADATA.sorted_tables
        if any(key.column.table is purchases for key in table.foreign_keys)
    }
    assert bulk_items.name in hanging
    assert hanging <= set(re.findall(r"DELETE FROM (\w+)", words))


async def test_notifications_are_forgotten_with_the_calls_to_seqr(desk: Desk) -> None:
    purchase_id = await desk.buy(ASA)
    old, new = desk.clock(), desk.clock.turn(31 * 86_400)
    for at in (old, new):
        await desk.database.write(_called, purchase_id, at)
    assert await desk.database.write(exchange.prune_notifications, new, 30) == 1
    assert await desk.database.write(exchange.prune_notifications, new, 30) == 0
    assert len(await desk.rows(notifications)) == 1


def _called(connection: Connection, purchase_id: str, at: datetime) -> None:
    row = {"id": new_id(at), "purchase_id": purchase_id, "at": at, "sender": "192.0.2.1"}
    connection.execute(insert(notifications), row)


async def test_a_copy_can_be_read_by_the_doctor(
    desk: Desk, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    await sold(desk, ASA)
    if desk.database.dialect == "sqlite":
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as file:
            file.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
        copy = f"sqlite:///{tmp_path / 'copy.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        copy = request.getfixturevalue("make_postgres_database")()
        dump = str(tmp_path / "shop.dump")
        _run(server, "pg_dump", "--format=custom", f"--file={dump}", database_url)
        _run(server, "pg_restore", f"--dbname={copy}", dump)
    found = await check_journal(settings(database_url=SecretStr(copy)))
    assert (found.health, "each of 1 purchases" in found.sentence) == (Health.OK, True)


def _run(server: PostgresServer, program: str, *words: str) -> None:
    subprocess.run([str(server.binaries / program), *words], check=True, timeout=60)
