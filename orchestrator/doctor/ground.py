"""The ground we stand on: settings, keys, database."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, text

from orchestrator import configuration, migration, replay
from orchestrator.database import open_database
from orchestrator.doctor.finding import Finding, doubtful, ill, well
from orchestrator.settings import PREFIX, Settings

REQUIRED = ("seqr_endpoint", "seqr_principal_id", "seqr_password")
"""What ``serve`` cannot do without."""


def missing_settings(settings: Settings) -> list[str]:
    """The variables that ``serve`` needs and nobody set."""
    return [f"{PREFIX}{name.upper()}" for name in REQUIRED if getattr(settings, name) is None]


async def check_settings(settings: Settings) -> Finding:
    """What ``serve`` needs is there."""
    if missing := missing_settings(settings):
        return ill(f"Missing: {', '.join(missing)}.", "Set them; SEQR gives them to you.")
    if settings.create_purchase_user is None:
        return doubtful(
            "Anybody may call createPurchase: it demands no user and password.",
            f"Agree with SEQR on {PREFIX}CREATE_PURCHASE_USER and {PREFIX}CREATE_PURCHASE_PASSWORD.",
        )
    return well(f"{len(settings.model_fields_set)} settings are set, and all are valid.")


async def check_variables(_: Settings) -> Finding:
    """No variable is misspelt: one that is no setting has no effect, and nobody would notice."""
    if sentences := configuration.misspelt():
        return doubtful(" ".join(sentences), "Correct their names, or remove them.")
    return well(f"Every {PREFIX} variable is a setting.")


async def check_secret_key(settings: Settings) -> Finding:
    """Every process signs with the same key, today and after the next installation."""
    if settings.secret_key is not None:
        return well("The key that signs sessions and notification addresses is set.")
    if settings.database.startswith("postgresql://"):
        return doubtful(
            "Each machine makes its own key, so notifications and sessions of one are unknown to the others.",
            f"Set {PREFIX}SECRET_KEY to the same 32 random characters or more on all of them.",
        )
    return well("The key is made and kept under var/ beside the database. Keep it in the backup.")


async def check_database(settings: Settings) -> Finding:
    """It answers."""
    if (missing := _missing_file(settings)) is not None:
        return missing
    begun = time.perf_counter()
    version = await _reading(settings, _version)
    return well(f"{version} answers in {(time.perf_counter() - begun) * 1000:.0f} ms.")


async def check_migrations(settings: Settings) -> Finding:
    """It has the tables that this version works with."""
    if (missing := _missing_file(settings)) is not None:
        return missing
    database = open_database(settings.database)
    try:
        await migration.check(database)
    except migration.Unmigrated as error:
        return ill(error.message, "Type: orchestrator migrate")
    finally:
        await database.close()
    return well(f"The database is at {migration.newest()}, the newest.")


async def check_journal(settings: Settings) -> Finding:
    """What the journal tells of a sample of purchases is what is stored of them."""
    if (missing := _missing_file(settings)) is not None:
        return missing
    database = open_database(settings.database)
    try:
        await migration.check(database)
        replayed = await database.read(replay.sample)
    except migration.Unmigrated as error:
        return doubtful(f"The journal was not replayed: {error.message}", "Type: orchestrator migrate")
    finally:
        await database.close()
    number, wrong = replayed.number, replayed.disagreements
    if wrong:
        return ill(
            f"The journal of {len(wrong)} of {number} purchases does not give what is stored: {wrong[0]}",
            "Somebody has changed the database past the program: compare with a backup.",
        )
    return well(f"The journal gives the stored state of each of {number} purchases replayed.")


def _missing_file(settings: Settings) -> Finding | None:
    """Opening SQLite would make the file; a doctor changes nothing."""
    path = Path(settings.database.removeprefix("sqlite:///"))
    if not settings.database.startswith("sqlite:///") or path.exists():
        return None
    return ill(f"There is no database at {path} yet.", "Type: orchestrator migrate")


def _version(connection: Connection) -> str:
    if connection.dialect.name == "sqlite":
        return f"SQLite {connection.execute(text('SELECT sqlite_version()')).scalar_one()}"
    return f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar_one()}"


async def _reading(settings: Settings, work: Callable[[Connection], str]) -> str:
    database = open_database(settings.database)
    try:
        return await database.read(work)
    finally:
        await database.close()
