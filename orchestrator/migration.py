"""Migrations: bring a database to the tables that this version needs, or tell that it is not there yet.

Only who migrates loads Alembic, which takes longer than all else that a start does.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, column, func, inspect, select, table

from orchestrator.database import Database
from orchestrator.errors import OrchestratorError

_HERE = Path(__file__).parent
_LOCK = 0x6F72_6368
"""Names the advisory lock among those of the database."""
_APPLIED = table("alembic_version", column("version_num"))
"""Where Alembic keeps what was applied last."""


class Unmigrated(OrchestratorError):
    """The database lacks migrations. Type: orchestrator migrate"""

    code = "unmigrated"


def _scripts() -> Path:
    """In a wheel the migrations lie inside the package; in a checkout beside it."""
    packed = _HERE / "migrations"
    return packed if packed.is_dir() else _HERE.parent / "alembic"


@cache
def newest() -> str:
    """The revision that this version of the program works with. A file of migrations is named after its
    revision: ``0005_erased_customers.py``."""
    return max(file.name.partition("_")[0] for file in (_scripts() / "versions").glob("[0-9]*_*.py"))


def current(connection: Connection) -> str | None:
    """The revision that the database is at; None when it has no tables yet."""
    if not inspect(connection).has_table(_APPLIED.name):
        return None
    return connection.execute(select(_APPLIED.c.version_num)).scalar_one_or_none()


def _upgrade(connection: Connection) -> str | None:
    """Whoever comes second waits for the first, and finds nothing left to do: SQLite has one writer, and
    PostgreSQL, where two would make the same tables, a lock until the commit."""
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    before = current(connection)
    config = Config()
    config.set_main_option("script_location", str(_scripts()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
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
