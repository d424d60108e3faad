"""Migrations: bring a database to the tables that this version needs, or tell that it is not there yet."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from orchestrator.database import Database
from orchestrator.errors import OrchestratorError

_HERE = Path(__file__).parent
_LOCK = 0x6F72_6368
"""Names the advisory lock among those of the database."""


class Unmigrated(OrchestratorError):
    """The database lacks migrations. Type: orchestrator migrate"""

    code = "unmigrated"


def _scripts() -> Path:
    """In a wheel the migrations lie inside the package; in a checkout beside it."""
    packed = _HERE / "migrations"
    return packed if packed.is_dir() else _HERE.parent / "alembic"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_scripts()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@cache
def newest() -> str:
    """The revision that this version of the program works with."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def current(connection: Connection) -> str | None:
    """The revision that the database is at; None when it has no tables yet."""
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> str | None:
    """Whoever comes second waits for the first, and finds nothing left to do: SQLite has one writer, and
    PostgreSQL, where two would make the same tables, a lock until the commit."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    before = current(connection)
    command.upgrade(_config(connection), "head")
    return before


async def migrate(database: Database) -> tuple[str | None, str]:
    """Apply what is missing, all or nothing; returns the revision before and after."""
    before = await database.read(current)
    if before != newest():
        before = await database.write(_upgrade)
    return before, newest()


async def check(database: Database) -> None:
    """Raise Unmigrated unless the database is where this version needs it."""
    found = await database.read(current)
    if found != newest():
        state = "has no tables yet" if found is None else f"is at {found}, this version needs {newest()}"
        raise Unmigrated(f"The database {state}. Type: orchestrator migrate")
