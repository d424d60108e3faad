"""Real processes for the acceptance tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.acceptance.premises import Nursery, Premises, premises


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where processes of the program come from: one for this test process."""
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
async def shop_floor(database_url: str, nursery: Nursery, tmp_path: Path) -> AsyncIterator[Premises]:
    """A shop on each kind of database, with quick polling and a short patience, with no process yet."""
    log = tmp_path / "processes.log"
    async with premises(database_url, nursery, log, poll_interval=0.2, seqr_timeout=1) as shop:
        yield shop
