"""The suite: which scenarios run on which databases at how many connections, and in which order."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.floor import Floor, floor
from bench.load import Limits, Run
from bench.machine import load, machine
from bench.report import FLOOR, Report, Row
from bench.scenarios import create_purchases, settle
from bench.seqr import StubSeqr, stub_seqr
from bench.shop import Shop, shop
from bench.viewers import changes, cpu_share, viewers
from tests.fixtures.postgres import running_server

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
CREATED, ASKED, STOCKED, SEEN = SCENARIOS = (
    "createPurchase",
    "notification to asked",
    "notification to stocked",
    "change to page",
)
WARM_UP = Limits(requests=40, seconds=10)
_WARM_UP_CONNECTIONS = 8
_BETWEEN_CHANGES = 0.3

_WAIT_FOR_THE_DISK = (
    "ALTER SYSTEM SET fsync = on",
    "ALTER SYSTEM SET full_page_writes = on",
    "DO $$ BEGIN PERFORM pg_reload_conf(); END $$",
    "DO $$ BEGIN ASSERT current_setting('fsync') || current_setting('synchronous_commit') = 'onon'; END $$",
)
"""The server of the tests is spared the disk; a server in production is not."""

Say = Callable[[str], None]
"""Told what is measured now."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: limits of a cell for each number of connections."""

    cells: Mapping[int, Limits]
    databases: tuple[str, ...] = (SQLITE, POSTGRESQL)
    warm_up: Limits = WARM_UP
    viewers: int = 200
    """How many look at the list when it is measured how soon they see a change."""
    changes: int = 20
    idle_seconds: float = 10


FULL = Scale({1: Limits(300, 5), 8: Limits(600, 5), 32: Limits(1000, 5)})
QUICK = Scale({1: Limits(60, 1), 8: Limits(120, 1), 32: Limits(200, 1)}, changes=10, idle_seconds=3)


async def measure(scale: Scale, home: Path, say: Say) -> Report:
    """Run everything, with what it needs started before and ended after it; files go below ``home``.

    All programs are up all the time and are driven in turn. One half of the floor is measured right before
    what is held against it and the other right after, so that a machine that grows slower does so for both.
    Raises BenchError.
    """
    facts = machine({SQLITE: home, POSTGRESQL: Path(tempfile.gettempdir())})
    rows: list[Row] = []
    async with stub_seqr() as seqr, _shops(scale, seqr, home, say) as shops, floor(seqr.endpoint) as alone:
        for connections, limits in scale.cells.items():
            say(f"{connections} connections")
            rows += await _measure_cells(seqr, shops, alone, connections, limits)
        for served in shops:
            say(f"{scale.viewers} viewers on {served.database}")
            row, idle = await _measure_viewers(served, scale)
            rows.append(row)
            facts[f"idle on {served.database}"] = idle
    return Report(datetime.now(UTC), facts | {"load after": load()}, _in_order(rows))


async def _measure_viewers(served: Shop, scale: Scale) -> tuple[Row, str]:
    """How soon each viewer sees a change, and what the program uses of a core while nothing happens."""
    alone = await cpu_share(served, scale.idle_seconds)
    async with viewers(served, scale.viewers) as looking:
        watched = await cpu_share(served, scale.idle_seconds)
        latencies = await changes(served, looking, scale.changes, _BETWEEN_CHANGES)
    idle = f"{alone:.1%} of a core, {watched:.1%} with {scale.viewers} viewers"
    return Row.of_latencies(SEEN, served.database, scale.viewers, latencies), idle


async def _measure_cells(
    seqr: StubSeqr, shops: list[Shop], alone: Floor, connections: int, limits: Limits
) -> list[Row]:
    before = await _measure_floor(alone, connections, limits.halved())
    runs = [await _measure_shop(served, seqr, connections, limits) for served in shops]
    after = await _measure_floor(alone, connections, limits.halved())
    sending, asking = (first.joined(second) for first, second in zip(before, after, strict=True))
    rows = [
        Row.of_run(CREATED, FLOOR, connections, sending, sending),
        Row.of_run(STOCKED, FLOOR, connections, asking, asking),
    ]
    for served, (created, until_asked, stocked) in zip(shops, runs, strict=True):
        rows += [
            Row.of_run(CREATED, served.database, connections, created, sending),
            Row.of_latencies(ASKED, served.database, connections, until_asked),
            Row.of_run(STOCKED, served.database, connections, stocked, asking),
        ]
    return rows


async def _measure_floor(alone: Floor, connections: int, limits: Limits) -> tuple[Run, Run]:
    sending = await alone.send_invoices(connections, limits)
    return sending, await alone.payment_statuses(connections, limits)


async def _measure_shop(
    served: Shop, seqr: StubSeqr, connections: int, limits: Limits
) -> tuple[Run, list[float], Run]:
    created, references = await create_purchases(served, connections, limits)
    stocked, until_asked = await settle(served, seqr, references, connections)
    return created, until_asked, stocked


def _in_order(rows: list[Row]) -> list[Row]:
    """By scenario, then by connections; the floor comes first as it was measured first."""
    return sorted(rows, key=lambda row: (SCENARIOS.index(row.scenario), row.connections))


@asynccontextmanager
async def _shops(scale: Scale, seqr: StubSeqr, home: Path, say: Say) -> AsyncIterator[list[Shop]]:
    """A warm shop for each database."""
    async with AsyncExitStack() as stack:
        place = stack.enter_context(run_directory(home))
        shops = []
        for database in scale.databases:
            say(f"starting serve on {database}")
            url = stack.enter_context(empty_database(database, place))
            served = await stack.enter_async_context(shop(database, url, seqr.endpoint, place))
            _, references = await create_purchases(served, _WARM_UP_CONNECTIONS, scale.warm_up)
            await settle(served, seqr, references, _WARM_UP_CONNECTIONS)
            shops.append(served)
        yield shops


@contextmanager
def run_directory(home: Path) -> Iterator[Path]:
    """A directory below ``home``, as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="run-", dir=home) as directory:
        yield Path(directory).resolve()


@contextmanager
def empty_database(database: str, place: Path) -> Iterator[str]:
    """The address of an empty database that waits for the disk like one in production."""
    if database == SQLITE:
        yield f"sqlite:///{place / 'benchmark.db'}"
        return
    with running_server() as server:
        for statement in _WAIT_FOR_THE_DISK:
            server.execute(statement)
        yield server.create_database("benchmark")
