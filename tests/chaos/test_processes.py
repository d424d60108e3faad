"""One of several processes dies, freezes or is cut off; one alone dies and is started again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.gate import Gate
from tests.chaos.conftest import Open
from tests.chaos.trade import IN_TIME, Trade
from tests.fixtures.shop import until


@pytest.fixture
def postgres(make_postgres_database: Callable[[str], str], postgres_template: str) -> str:
    """A migrated PostgreSQL database."""
    return make_postgres_database(postgres_template)


@pytest.mark.parametrize("places", [2, 3])
async def test_one_of_several_is_killed(
    busy_shop: Open, postgres: str, note: Callable[..., None], places: int
) -> None:
    async with busy_shop(postgres, places) as trade:
        lives = [await trade.shop.start(place=place) for place in range(places)]
        async with trade.going():
            waited = await trade.taken_up(lives[0].kill)
        await trade.check()
        note(f"one of {places} processes killed", trade, taken_up=waited)
        assert waited < IN_TIME


@pytest.mark.parametrize("places", [2, 3])
async def test_one_of_several_freezes_and_wakes(
    busy_shop: Open, postgres: str, note: Callable[..., None], places: int
) -> None:
    # What was ordered at the frozen process, and then elsewhere, is one more order when it wakes: it expires.
    async with busy_shop(postgres, places, invoice_ttl=20) as trade:
        lives = [await trade.shop.start(place=place) for place in range(places)]

        async def freeze() -> None:
            lives[0].freeze()

        async with trade.going():
            waited = await trade.taken_up(freeze)
            await trade.until_paid(60)  # its leases are long over
            lives[0].wake()
        await trade.check()
        note(f"one of {places} processes frozen, later woken", trade, taken_up=waited)
        assert waited < IN_TIME


@pytest.mark.parametrize("places", [2, 3])
@pytest.mark.parametrize("silently", [False, True], ids=["refused", "silent"])
async def test_one_of_several_is_cut_off_from_the_database(
    busy_shop: Open, postgres: str, note: Callable[..., None], silently: bool, places: int
) -> None:
    port = urlsplit(postgres).port or 0
    async with busy_shop(postgres, places, invoice_ttl=20) as trade, Gate(port) as gate:
        way = postgres.replace(f":{port}/", f":{gate.port}/")
        await trade.shop.start(place=0, database_url=way)
        for place in range(1, places):
            await trade.shop.start(place=place)
        async with trade.going():
            waited = await trade.taken_up(gate.stall if silently else gate.shut)
            await trade.until_paid(60)
            await (gate.resume() if silently else gate.open())
            await until(lambda: is_well(trade), 30)
        await trade.check()
        how = "without a word" if silently else "with connections refused"
        note(f"one of {places} processes cut off from the database {how}", trade, taken_up=waited)
        assert waited < IN_TIME


async def is_well(trade: Trade) -> bool:
    """Whether the first process says that it is ready."""
    async with trade.shop.http.get(f"{trade.shop.addresses[0]}/readyz") as answer:
        return answer.status == 200


@pytest.fixture(params=["sqlite", "postgresql"])
def alone(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database of either kind."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres"))
    shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "alone.db")
    return f"sqlite:///{tmp_path / 'alone.db'}"


async def test_one_alone_is_killed_and_started_again(
    busy_shop: Open, alone: str, note: Callable[..., None]
) -> None:
    async with busy_shop(alone) as trade:
        life = await trade.shop.start()

        async def restart() -> None:
            await life.kill()
            await trade.shop.start()

        async with trade.going():
            waited = await trade.taken_up(restart)
        await trade.check()
        note(f"one process on {urlsplit(alone).scheme} killed and restarted", trade, taken_up=waited)
        assert waited < IN_TIME
