"""What the system's page shows of the database, beside the pulse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from orchestrator import migration, pulse
from orchestrator.pulse import Pulse
from orchestrator.tables import outbox


@dataclass(frozen=True, slots=True)
class Pile:
    """Mails in one state: how many, and since when the oldest of them is there."""

    number: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class System:
    """Everything that is read at once. ``size`` is in bytes, ``revision`` the last migration applied."""

    pulse: Pulse
    version: str
    size: int
    revision: str | None
    queued: Pile
    failed: Pile


def read_system(connection: Connection, at: datetime) -> System:
    """How the system is at the moment ``at``."""
    measured = _postgresql if connection.dialect.name == "postgresql" else _sqlite
    version, size = measured(connection)
    return System(
        pulse=pulse.read(connection, at),
        version=version,
        size=size,
        revision=migration.current(connection),
        queued=_pile(connection, "queued"),
        failed=_pile(connection, "failed"),
    )


def _pile(connection: Connection, state: str) -> Pile:
    mine = outbox.c.state == state
    number = connection.execute(select(func.count()).select_from(outbox).where(mine)).scalar_one()
    # Ids sort by time, and the index of the states has them in order.
    oldest = select(outbox.c.created_at).where(mine).order_by(outbox.c.id).limit(1)
    return Pile(number, connection.execute(oldest).scalar_one_or_none())


def _sqlite(connection: Connection) -> tuple[str, int]:
    version = connection.execute(text("SELECT sqlite_version()")).scalar_one()
    pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    return f"SQLite {version}", int(pages * connection.execute(text("PRAGMA page_size")).scalar_one())


def _postgresql(connection: Connection) -> tuple[str, int]:
    version = connection.execute(text("SHOW server_version")).scalar_one()
    size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    return f"PostgreSQL {version}", int(size)
