"""A database full of purchases, made in minutes: in bulk, with the indexes made afterwards.

A SQLite file is kept below ``var/bench`` and used again while tables and population are the same.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection, text

from bench import population
from bench.databases import SQLITE, databases
from bench.report import Say
from orchestrator import migration, tally
from orchestrator.database import Database, open_database
from orchestrator.models import METADATA
from orchestrator.tail import newest_id

_SORTED = "search_terms"
_FILES = (Path(population.__file__), Path(__file__))


def kept(home: Path, number: int) -> Path:
    """Where the SQLite file with so many purchases is kept."""
    tables = [
        (table.name, table.columns.keys(), sorted((str(i.name), *i.columns.keys()) for i in table.indexes))
        for table in METADATA.sorted_tables
    ]
    made_by = [path.read_bytes() for path in _FILES]
    mark = hashlib.sha256(b"".join([repr(tables).encode(), *made_by])).hexdigest()[:12]
    return home / f"purchases-{number}-{mark}.db"


async def sqlite_file(home: Path, number: int, say: Say) -> Path:
    """The file with ``number`` purchases; made when it is not there."""
    path = kept(home, number)
    if not path.exists():
        say(f"making {number:,} purchases on SQLite")
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        await fill(f"sqlite:///{draft}", year(number))
        draft.rename(path)
    return path


@asynccontextmanager
async def database_of(kind: str, size: int, home: Path, say: Say) -> AsyncIterator[str]:
    """The address of a database with so many purchases."""
    if kind == SQLITE:
        kept = await sqlite_file(home, size, say)
        with _copy(kept) as path:
            yield f"sqlite:///{path}"
        return
    with databases(kind, home) as make:
        url = make("benchmark")
        say(f"making {size:,} purchases on PostgreSQL")
        await fill(url, year(size))
        yield url


@contextmanager
def _copy(kept: Path) -> Iterator[Path]:
    """The program writes into its database; what is kept stays as it is."""
    with tempfile.TemporaryDirectory(prefix="run-", dir=kept.parent) as directory:
        copied = Path(shutil.copy(kept, Path(directory) / "benchmark.db"))
        os.sync()  # else the disk is busy with it while we measure
        yield copied


async def fill(url: str, batches: Iterable[population.Rows]) -> None:
    """Migrate an empty database, and put rows into it."""
    await _migrated(url)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            _fill_sqlite(file, batches)
    else:
        connection = await asyncpg.connect(url)
        try:
            await _fill_postgresql(connection, batches)
        finally:
            await connection.close()
    await _tally(url)


def year(number: int) -> Iterator[population.Rows]:
    """A year's trade of a catalogue, until a minute ago."""
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    yield {"products": population.products(end)}
    yield from population.purchases(number, end)


def _fill_sqlite(connection: sqlite3.Connection, batches: Iterable[population.Rows]) -> None:
    for wish in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
        connection.execute(f"PRAGMA {wish}")
    connection.execute("CREATE TEMP TABLE unsorted (term TEXT, purchase_id TEXT)")
    with _without_sqlite_indexes(connection):
        for rows in batches:
            for table, its in rows.items():
                insert(connection, "unsorted" if table == _SORTED else table, its)
        connection.execute(f"INSERT INTO {_SORTED} SELECT term, purchase_id FROM unsorted ORDER BY 1, 2")
        connection.execute("DROP TABLE unsorted")
    connection.commit()


def insert(connection: sqlite3.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    """Write rows into a table of a SQLite file."""
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        statement = f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({marks})"
        connection.executemany(statement, [tuple(map(_as_sqlite, row.values())) for row in rows])


def _as_sqlite(value: object) -> object:
    """As SQLAlchemy writes it."""
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value


@contextmanager
def _without_sqlite_indexes(connection: sqlite3.Connection) -> Iterator[None]:
    made = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in made:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, statement in made:
        connection.execute(statement)


async def _fill_postgresql(connection: asyncpg.Connection, batches: Iterable[population.Rows]) -> None:
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT IN"
        " (SELECT conname FROM pg_constraint)"
    )
    keys = await connection.fetch(
        "SELECT conname, conrelid::regclass::text AS table, pg_get_constraintdef(oid) AS definition"
        " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
        " AND (contype = 'f' OR conname = 'search_terms_pkey')"
    )
    for key in keys:
        await connection.execute(f'ALTER TABLE {key["table"]} DROP CONSTRAINT "{key["conname"]}"')
    for index in indexes:
        await connection.execute(f'DROP INDEX "{index["indexname"]}"')
    for rows in batches:
        for table, its in rows.items():
            if its:
                await connection.copy_records_to_table(
                    table, records=[tuple(row.values()) for row in its], columns=list(its[0])
                )
    await connection.execute("SET maintenance_work_mem = '512MB'")
    for index in indexes:
        await connection.execute(index["indexdef"])
    for key in sorted(keys, key=lambda key: "FOREIGN" in key["definition"]):
        await connection.execute(
            f'ALTER TABLE {key["table"]} ADD CONSTRAINT "{key["conname"]}" {key["definition"]}'
        )
    await connection.execute(
        "SELECT setval(pg_get_serial_sequence('journal', 'id'), (SELECT max(id) FROM journal))"
    )
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")


async def _migrated(url: str) -> None:
    database = open_database(url)
    await migration.migrate(database)
    await database.close()


async def _tally(url: str) -> None:
    """Count what is there, instead of folding each row of the journal."""
    database: Database = open_database(url)
    counted = await database.read(_counted)
    last = await database.read(newest_id)
    step = tally.Step(tally.Progress(0, {}), tally.Progress(last, {}), counted, 0)
    await database.write(tally.take, step)
    await database.close()


def _counted(connection: Connection) -> tally.Tallies:
    """Of a million it takes longer than a transaction may stand still in production."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    return tally.recount(connection)
