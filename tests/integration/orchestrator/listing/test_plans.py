"""That the main statements of the list go by an index, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from orchestrator import listing
from orchestrator.database import Database
from orchestrator.listing import Place
from orchestrator.selection import Filter, Sort
from tests.fixtures.operations import keep_purchase
from tests.fixtures.statements import recorded

FILTERS = {
    "all": Filter(),
    "state": Filter(states=("failed",)),
    "states": Filter(states=("received", "invoiced")),
    "reason": Filter(reason="expired"),
    "attention": Filter(attention=True),
    "time": Filter(since=datetime(2026, 1, 1, tzinfo=UTC)),
    "amount": Filter(low=Decimal(100)),
    "words": Filter(q="anna svensson"),
    "reference": Filter(q="1234567"),
    "beginning of an id": Filter(q="019a0000-12"),
}


def _plans(connection: Connection, which: Filter) -> list[str]:
    """The database's plan of each statement that looks at purchases or their terms."""
    place = Place(keep_purchase(connection))
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        # A table with a few rows is read whole, as it should be: what is asked is whether it need not be.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    with recorded(connection) as seen:
        listing.page(connection, which, 50, place)
    explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
    about = [(text, values) for text, values in seen if " purchases" in text or "search_terms" in text]
    return [
        "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {text}", values))
        for text, values in about
    ]


@pytest.mark.parametrize("few", [5_000, 0], ids=["few", "walk"])
@pytest.mark.parametrize("name", FILTERS)
async def test_no_table_is_read_whole(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str, few: int
) -> None:
    monkeypatch.setattr(listing, "FEW", few)
    for sort in (Sort.NEWEST, Sort.AMOUNT_HIGH):
        plans = await database.write(_plans, replace(FILTERS[name], sort=sort))
        assert plans
        for plan in plans:
            assert "Seq Scan" not in plan, plan
            whole = [line for line in plan.splitlines() if line.startswith("SCAN ") and "INDEX" not in line]
            assert [line for line in whole if "purchases" in line or "search_terms" in line] == [], plan
