"""The closed loop and its percentiles: a figure is no better than they are."""

from __future__ import annotations

import asyncio
import os

import pytest

from bench.errors import BenchError
from bench.load import Run, closed_loop, percentile


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1), (1, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)]
)
def test_a_percentile_is_one_of_the_values(percent: float, expected: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], percent) == expected


def test_the_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 50) == percentile([7.0], 99) == 7.0


async def test_each_thing_is_done_once_and_no_more_at_a_time_than_there_are_connections() -> None:
    done: list[int] = []
    at_once, most = 0, 0

    async def work(thing: int) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        done.append(thing)

    run = await closed_loop(work, range(20), 3, os.getpid())
    assert sorted(done) == list(range(20))
    assert most == 3
    assert len(run.latencies) == 20
    assert run.per_second == 20 / run.elapsed


async def test_nothing_is_begun_when_the_time_is_over() -> None:
    run = await closed_loop(lambda _: asyncio.sleep(0), range(100), 4, os.getpid(), seconds=0)
    assert len(run.latencies) == 4


async def test_an_error_ends_the_loop_and_is_raised_as_it_is() -> None:
    async def fail(thing: int) -> None:
        if thing == 5:
            raise BenchError("The shop is closed.")
        await asyncio.sleep(0)

    with pytest.raises(BenchError, match="closed"):
        await closed_loop(fail, range(100), 2, os.getpid())


def test_two_halves_weigh_as_much_as_they_counted() -> None:
    first, second = Run(1.0, [1.0], cpu_ms=4, rss_mb=90), Run(2.0, [2.0, 3.0, 4.0], cpu_ms=8, rss_mb=100)
    assert first.joined(second) == Run(3.0, [1.0, 2.0, 3.0, 4.0], cpu_ms=7, rss_mb=100)
