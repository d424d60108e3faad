"""Migrations: they make the tables that the models describe, can be taken back, and are demanded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect, select

from orchestrator import listing, models, tally
from orchestrator.database import Database, open_database
from orchestrator.migration import Unmigrated, check, migrate, newest
from orchestrator.selection import Filter
from statemachine import State
from tests.fixtures.dashboard import place
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
