"""What the tests of the stock share."""

from __future__ import annotations

import pytest

from orchestrator.database import Database
from tests.fixtures.shop import stocked


@pytest.fixture
async def shelf(database: Database) -> Database:
    """Ten mugs and twenty spoons."""
    await database.write(stocked)
    return database
