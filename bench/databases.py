"""The databases that the programs run on: empty, and waiting for the disk like those in production."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fixtures.postgres import running_server

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
BOTH = (SQLITE, POSTGRESQL)

_WAIT_FOR_THE_DISK = (
    "ALTER SYSTEM SET fsync = on",
    "ALTER SYSTEM SET full_page_writes = on",
    "DO $$ BEGIN PERFORM pg_reload_conf(); END $$",
    "DO $$ BEGIN ASSERT current_setting('fsync') || current_setting('synchronous_commit') = 'onon'; END $$",
)
"""The server of the tests is spared the disk; a server in production is not."""

Make = Callable[[str], str]
"""Makes an empty database of that name; returns its address."""


@contextmanager
def run_directory(home: Path) -> Iterator[Path]:
    """A directory below ``home``, as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="run-", dir=home) as directory:
        yield Path(directory).resolve()


@contextmanager
def databases(kind: str, place: Path) -> Iterator[Make]:
    """Makes databases of one kind: files below ``place``, or on one server."""
    if kind == SQLITE:
        yield lambda name: f"sqlite:///{place / name}.db"
        return
    with running_server() as server:
        for statement in _WAIT_FOR_THE_DISK:
            server.execute(statement)
        yield server.create_database


@contextmanager
def empty_database(kind: str, place: Path) -> Iterator[str]:
    """The address of one."""
    with databases(kind, place) as make:
        yield make("benchmark")
