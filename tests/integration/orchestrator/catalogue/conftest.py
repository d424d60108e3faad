"""A migrated database, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from orchestrator.database import Database, open_database
from orchestrator.migration import migrate


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path / 'catalogue.db'}"
    if request.param == "postgresql":
        make: Callable[..., str] = request.getfixturevalue("make_postgres_database")
        url = make()
    opened = open_database(url)
    await migrate(opened)
    yield opened
    await opened.close()
