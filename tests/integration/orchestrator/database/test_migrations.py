"""Migrations: they make the tables that the models describe, can be taken back, and are demanded."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, delete, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from orchestrator import audit, listing, models, tally
from orchestrator.database import Database, open_database
from orchestrator.identity import now
from orchestrator.migration import Unmigrated, check, migrate, newest
from orchestrator.selection import Filter
from orchestrator.stamp import Stamp
from orchestrator.tables import journal
from statemachine import State
from tests.fixtures.dashboard import place
from tests.fixtures.sandbox import until
from tests.fixtures.shop import stocked

SCRIPTS = Path(__file__).parents[4] / "alembic"


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'bare.db'}"
    else:
        make: Callable[[str], str] = request.getfixturevalue("make_postgres_database")
        yield make("template1")


@pytest.fixture
async def bare(bare_url: str) -> AsyncIterator[Database]:
    opened = open_database(bare_url)
    yield opened
    await opened.close()


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), models.METADATA))


def downgrade(connection: Connection, revision: str = "base") -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


def everything(connection: Connection) -> dict[str, list[str]]:
    """All rows of all tables, as texts."""
    found = MetaData()
    found.reflect(connection)
    return {
        table.name: sorted(str(row) for row in connection.execute(select(table)).mappings())
        for table in found.sorted_tables
    }


def pretend(connection: Connection) -> None:
    connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from_the_future'")


async def test_the_models_and_the_migrations_agree(database: Database) -> None:
    assert await database.read(differences) == []


async def test_a_bare_database_is_refused_with_what_to_type(bare: Database) -> None:
    with pytest.raises(Unmigrated, match=r"has no tables yet\. Type: orchestrator migrate") as refused:
        await check(bare)
    assert not refused.value.retryable


async def test_migrating_says_what_it_did_and_can_be_repeated(bare: Database) -> None:
    assert await migrate(bare) == (None, newest())
    await check(bare)
    assert await migrate(bare) == (newest(), newest())
    assert set(models.METADATA.tables) <= await bare.read(tables)


def test_the_newest_migration_is_the_one_that_alembic_takes_for_it() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [newest()]


async def test_a_database_of_another_version_is_refused(database: Database) -> None:
    await database.write(pretend)
    with pytest.raises(Unmigrated, match=f"is at from_the_future, this version needs {newest()}"):
        await check(database)


async def test_migrations_can_be_taken_back_and_applied_again(database: Database) -> None:
    await database.write(downgrade)
    assert await database.read(tables) == {"alembic_version"}
    with pytest.raises(Unmigrated):
        await check(database)
    await migrate(database)
    assert await database.read(differences) == []


async def test_a_shop_with_purchases_moves_to_the_dashboard_and_back(database: Database) -> None:
    await database.write(stocked)
    placed = {state: await database.write(place, state, customer_name=f"Åsa {state}") for state in State}

    await database.write(downgrade, "0001")
    kept = await database.read(everything)
    assert len(kept["purchases"]) == len(kept["purchase_lines"]) == len(placed)
    assert kept["bundle_parts"]

    await migrate(database)
    assert await database.read(differences) == []
    found = await database.read(listing.page, Filter(q="asa paid"), 10)
    assert found.ids == (placed[State.PAID],)
    await tally.run_once(database)
    assert await database.read(tally.since, datetime.min.replace(tzinfo=UTC)) == await database.read(
        tally.recount
    )

    await database.write(downgrade, "0001")
    assert await database.read(everything) == kept


def named(connection: Connection) -> None:
    """As version 0002 wrote: customers' names and addresses in journal and audit log."""
    purchase_id = place(connection, "stocked", title="Mug and spoon")
    detail = {"place": "Anna Svensson ordered Mug.", "mail_resent": "Sent again to anna@example.com."}
    for sequence, (trigger, words) in enumerate(detail.items(), 11):
        row = {"purchase_id": purchase_id, "sequence": sequence, "at": now(), "trigger": trigger}
        source = None if trigger == "place" else "stocked"
        more = {"source": source, "target": "stocked", "actor": "ada", "detail": words}
        connection.execute(insert(journal).values({**row, **more}))
    audit.record(connection, Stamp("ada", now()), "mail.resend", "01c", "anna@example.com")
    audit.record(connection, Stamp("ada", now()), "purchase.note", purchase_id, "Anna called.")


async def test_names_leave_the_books_before_nobody_can_change_them(database: Database) -> None:
    await database.write(downgrade, "0002")
    await database.write(named)
    await migrate(database)
    kept = await database.read(everything)
    assert "Anna" not in str(kept["journal"])
    assert "anna@" not in str(kept["journal"]) + str(kept["audit"])
    assert str(kept["journal"]).count("The customer ordered Mug and spoon.") == 2
    assert str(kept["journal"]).count("Sent again to the customer.") == 1
    assert "Anna called." in str(kept["audit"]), "what people wrote stays as they wrote it"

    await database.write(downgrade, "0002")
    assert (await database.read(everything))["journal"] == kept["journal"]
    await migrate(database)
    with pytest.raises(DBAPIError, match="The journal only grows"):
        await database.write(forgotten)


def forgotten(connection: Connection) -> None:
    connection.execute(delete(journal))


async def test_two_who_migrate_at_the_same_time_are_both_done(bare_url: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    words = [sys.executable, "-c", TWIN, bare_url, str(gate)]
    twins = [await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=STDOUT) for _ in range(3)]
    await until(lambda: len(list(tmp_path.glob("gate.*"))) == len(twins), limit=30)
    gate.touch()
    async with asyncio.timeout(60):
        told = [(await twin.communicate())[0].decode() for twin in twins]
    assert sorted(told) == sorted([f"None {newest()}", *[f"{newest()} {newest()}"] * 2])


TWIN = """
import asyncio, os, sys, time
from pathlib import Path
from orchestrator.database import open_database
from orchestrator.migration import migrate

async def main(url, gate):
    Path(f"{gate}.{os.getpid()}").touch()
    while not Path(gate).exists():
        time.sleep(0.001)
    database = open_database(url)
    print(*await migrate(database), end="")
    await database.close()

asyncio.run(main(*sys.argv[1:]))
"""
