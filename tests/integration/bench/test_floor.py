"""The floor is a floor only if it leaves the same rows behind as the orchestrator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, select

from bench.databases import BOTH, databases
from bench.load import Limits
from bench.programs import FLOOR, ORCHESTRATOR, Program
from bench.scenarios import create_purchases, settle
from bench.seqr import stub_seqr
from bench.shop import shop
from orchestrator import tables
from orchestrator.database import open_database

WRITTEN = (
    tables.purchases,
    tables.purchase_lines,
    tables.search_terms,
    tables.invoice_attempts,
    tables.journal,
    tables.exchanges,
    tables.notifications,
    tables.stock_movements,
    tables.outbox,
    tables.products,
)
ITS_OWN = {"id", "purchase_id", "attempt_id", "duration_ms", "asked_at", "detail", "request"}
"""Columns that differ from one purchase to the next, or are the words of one program."""
KEPT = {"kind", "number", "recipient"}
"""Of a mail; the rest is the postman's, who may have come already."""


@pytest.mark.parametrize("database", BOTH)
async def test_the_floor_writes_what_the_orchestrator_writes(database: str, tmp_path: Path) -> None:
    with databases(database, tmp_path) as make:
        floors, ours = [
            await _left_behind(database, make(program.name), program, tmp_path)
            for program in (FLOOR, ORCHESTRATOR)
        ]
    assert floors == ours
    assert {table: len(rows) for table, rows in floors.items()} == {
        "purchases": 1,
        "purchase_lines": 1,
        "search_terms": 6,
        "invoice_attempts": 1,
        "journal": 4,
        "exchanges": 2,
        "notifications": 1,
        "stock_movements": 3,
        "outbox": 1,
        "products": 1,
    }


async def _left_behind(database: str, url: str, program: Program, home: Path) -> Mapping[str, set[Any]]:
    async with stub_seqr() as seqr, shop(database, url, seqr.endpoint, home, program=program) as served:
        _, references = await create_purchases(served, 1, Limits(1, 20))
        await settle(served, seqr, references, 1)
    opened = open_database(url)
    try:
        return await opened.read(_read)
    finally:
        await opened.close()


def _read(connection: Connection) -> Mapping[str, set[Any]]:
    return {table.name: _rows(connection, table) for table in WRITTEN}


def _rows(connection: Connection, table: Table) -> set[frozenset[tuple[str, Any]]]:
    """What stands in it, but for when. Where the machine is slow SEQR is asked twice: that is one row."""
    rows = connection.execute(select(table)).mappings()
    return {
        frozenset(
            (name, value is not None if name.endswith("_at") or name == "at" else value)
            for name, value in row.items()
            if (name in KEPT if table is tables.outbox else name not in ITS_OWN)
        )
        for row in rows
    }
