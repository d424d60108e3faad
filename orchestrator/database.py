"""The database that ORCHESTRATOR_DATABASE_URL names."""

from __future__ import annotations

from orchestrator.postgresql import PostgresqlDatabase
from orchestrator.sqlite import SqliteDatabase
from orchestrator.work import Database, DatabaseUnavailable, LostRace, Pool

__all__ = ["Database", "DatabaseUnavailable", "LostRace", "Pool", "open_database"]


def open_database(url: str) -> Database:
    """Open ``sqlite:///path`` or ``postgresql://user:pw@host/db``; connections are made when needed."""
    if url.startswith("postgresql://"):
        return PostgresqlDatabase(url)
    return SqliteDatabase(url.removeprefix("sqlite:///"))
