"""``orchestrator migrate``: bring the database to the tables of this version."""

from __future__ import annotations

import asyncio

import typer

from orchestrator import migration, settings
from orchestrator.cli.run import reporting, working
from orchestrator.database import open_database


@reporting
def migrate() -> None:
    """Make or change the database's tables for this version; all of it, or nothing if anything fails.

    Safe to repeat. Stop other processes first when they run an older version.
    """
    with working("Migrating the database"):
        before, after = asyncio.run(_migrate(settings.load().database))
    if before == after:
        typer.echo(f"The database is at {after} already: nothing to do.")
    else:
        typer.echo(f"The database went from {before or 'nothing'} to {after}.")


async def _migrate(url: str) -> tuple[str | None, str]:
    database = open_database(url)
    try:
        return await migration.migrate(database)
    finally:
        await database.close()
