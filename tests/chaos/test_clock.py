"""The clock of a running process is set by an hour, while customers pay."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.acceptance.crashing import BACK, ON
from tests.chaos.conftest import Open
from tests.chaos.trade import IN_TIME


@pytest.mark.parametrize(("by", "how"), [(BACK, "back"), (ON, "forward")])
async def test_the_clock_is_set_by_an_hour(
    busy_shop: Open, database_url: str, note: Callable[..., None], by: signal.Signals, how: str
) -> None:
    async with busy_shop(database_url) as trade:
        life = await trade.shop.start()

        async def set_clock() -> None:
            life.set_clock(by)

        async with trade.going():
            waited = await trade.taken_up(set_clock)
        await trade.check()
        note(f"clock set {how} an hour, {database_url.partition(':')[0]}", trade, taken_up=waited)
        assert waited < IN_TIME
