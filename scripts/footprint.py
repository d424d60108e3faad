"""What one purchase leaves behind and costs: rows, bytes, log, transactions, CPU; for docs/scale.md.

``python -m scripts.footprint [PURCHASES]``, on both databases, with a stub of SEQR. On PostgreSQL
what is only looked at (an open invoice that is asked about again) is measured too.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select, text

from bench.load import Limits
from bench.process import cost
from bench.scenarios import create_purchases, settle
from bench.seqr import StubSeqr, stub_seqr
from bench.shop import CROWDED, Shop, shop
from orchestrator.database import Database, open_database
from orchestrator.models import METADATA
from tests.fixtures.postgres import PostgresServer, running_server

CONNECTIONS = 8
WARM_UP = 100
BATCH = 50
LOOKED_AT_FOR = 40.0
"""Seconds."""
BUSY = {**CROWDED, "ORCHESTRATOR_UNPAID_PER_PHONE": "0"}


@dataclass(frozen=True)
class Reading:
    """How far the counters have come: rows and bytes by table, and what else is counted."""

    rows: dict[str, int]
    bytes: dict[str, int]
    counters: dict[str, float]

    def since(self, before: Reading, number: int) -> Iterator[str]:
        """Lines: by how much, for each of ``number``."""
        for name in self.rows:
            rows = (self.rows[name] - before.rows[name]) / number
            size = (self.bytes.get(name, 0) - before.bytes.get(name, 0)) / number
            if rows or size > 1:
                yield f"  {name:<20} {rows:7.2f} rows {size:9,.0f} bytes"
        for name, value in self.counters.items():
            yield f"  {name:<20} {(value - before.counters[name]) / number:12,.2f}"
        total = (sum(self.bytes.values()) - sum(before.bytes.values())) / number
        yield f"  {'all tables':<20} {total:12,.0f} bytes"


def _tables(connection: Connection) -> Reading:
    rows = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in METADATA.sorted_tables
    }
    if connection.dialect.name == "sqlite":
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return Reading(
            rows, {"file": pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one()}, {}
        )
    sizes = {
        name: connection.execute(text(f"SELECT pg_total_relation_size('{name}')")).scalar_one()
        for name in rows
    }
    lsn = connection.execute(text("SELECT pg_current_wal_insert_lsn() - '0/0'")).scalar_one()
    commits = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    return Reading(
        rows,
        sizes,
        {"bytes of WAL": float(lsn), "transactions": float(connection.execute(text(commits)).scalar_one())},
    )


def server_cpu(server: PostgresServer | None) -> float:
    """CPU in ms that PostgreSQL's living processes have used, with those that it has waited for."""
    if server is None:
        return 0.0
    main = int((server.home / "data" / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    return sum(cost(pid).cpu_ms for pid in (main, *map(int, children)))


async def reading(database: Database, served: Shop, server: PostgresServer | None) -> Reading:
    """All counters now."""
    found = await database.read(_tables)
    found.counters["ms CPU of serve"] = cost(served.pid).cpu_ms
    found.counters["ms CPU of PostgreSQL"] = server_cpu(server)
    return found


async def measure(name: str, url: str, seqr: StubSeqr, number: int, server: PostgresServer | None) -> None:
    """Print what a purchase, and a look at an open one, leave behind."""
    with tempfile.TemporaryDirectory() as home:
        async with shop(name, url, seqr.endpoint, Path(home), BUSY) as served:
            database = open_database(url)
            await _sell(served, seqr, WARM_UP)
            before = await reading(database, served, server)
            await _sell(served, seqr, number)
            after = await reading(database, served, server)
            print(f"one purchase on {name}, of {number}, from the order to the stock:")
            print("\n".join(after.since(before, number)))
            print(f"  resident memory      {cost(served.pid).rss_mb:12,.0f} MB")
            if server is not None:
                await _look(database, served, seqr, number, server)
            await database.close()


async def _sell(served: Shop, seqr: StubSeqr, number: int) -> None:
    for _ in range(0, number, BATCH):
        _, references = await create_purchases(served, CONNECTIONS, Limits(BATCH, 600))
        await settle(served, seqr, references, CONNECTIONS)


async def _look(
    database: Database, served: Shop, seqr: StubSeqr, number: int, server: PostgresServer
) -> None:
    _, references = await create_purchases(served, CONNECTIONS, Limits(number, 600))
    await seqr.watch(references)
    before = await reading(database, served, server)
    await asyncio.sleep(LOOKED_AT_FOR)
    watched = await seqr.watched()
    after = await reading(database, served, server)
    print(f"one look at an open invoice, of {watched.count}:")
    print("\n".join(after.since(before, watched.count)))


async def main(number: int) -> None:
    """Both databases."""
    async with stub_seqr() as seqr:
        with tempfile.TemporaryDirectory() as home:
            await measure("SQLite", f"sqlite:///{home}/shop.db", seqr, number, None)
        with running_server() as server:
            for setting in ("fsync", "full_page_writes"):
                server.execute(f"ALTER SYSTEM SET {setting} = on")
            server.execute("SELECT pg_reload_conf()")
            await measure("PostgreSQL", server.create_database("shop"), seqr, number, server)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
