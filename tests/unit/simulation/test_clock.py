"""Virtual time: it passes at once, and only when nothing is left to do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from simulation.clock import Standstill, VirtualLoop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.close()


def test_who_sleeps_wakes_up_at_once_and_in_order(loop: VirtualLoop) -> None:
    woken: list[float] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append(seconds)

    async def all_sleep() -> None:
        await asyncio.gather(*map(sleep, (3600.0, 0.5, 86400.0)))

    began = loop.now()
    loop.run_until_complete(all_sleep())
    assert woken == [0.5, 3600, 86400]
    assert loop.now() - began == timedelta(days=1)


def test_waiting_for_nobody_is_a_standstill(loop: VirtualLoop) -> None:
    waiting = loop.create_future()
    with pytest.raises(Standstill):
        loop.run_until_complete(waiting)
