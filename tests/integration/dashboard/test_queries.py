"""What the pages read, on both databases."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dashboard.queries.purchase import read_pay_code, read_purchase
from dashboard.queries.purchases import Filter, Place, count, read_page, read_row
from orchestrator.database import Database
from tests.fixtures.dashboard import place

EVERYTHING = Filter()


async def ids(
    database: Database, which: Filter = EVERYTHING, at: Place | None = None, size: int = 50
) -> list[str]:
    page = await database.read(read_page, which, at or Place(), size)
    return [row.id for row in page.rows]


async def test_pages_go_on_by_key_and_back(database: Database) -> None:
    newest_first = [await database.write(place) for _ in range(5)][::-1]
    first = await database.read(read_page, EVERYTHING, Place(), 2)
    assert [row.id for row in first.rows] == newest_first[:2]
    assert first.newer == ""
    second = await database.read(read_page, EVERYTHING, Place(older=first.older), 2)
    assert [row.id for row in second.rows] == newest_first[2:4]
    last = await database.read(read_page, EVERYTHING, Place(older=second.older), 2)
    assert ([row.id for row in last.rows], last.older) == (newest_first[4:], "")
    back = await database.read(read_page, EVERYTHING, Place(newer=last.newer), 2)
    assert [row.id for row in back.rows] == newest_first[2:4]
    top = await database.read(read_page, EVERYTHING, Place(newer=back.newer), 2)
    assert ([row.id for row in top.rows], top.newer) == (newest_first[:2], "")


async def test_an_empty_list_leads_nowhere(database: Database) -> None:
    page = await database.read(read_page, EVERYTHING, Place())
    assert (page.rows, page.older, page.newer) == ((), "", "")


async def test_filters(database: Database) -> None:
    paid = await database.write(place, "paid", attention="Look!")
    await database.write(place, "stocked")
    assert await ids(database, Filter(state="paid")) == [paid]
    assert await ids(database, Filter(attention=True)) == [paid]
    assert await ids(database, Filter(state="stocked", attention=True)) == []


@pytest.mark.parametrize(
    "text", ["svensson", "ANNA@", "4670000", "mug", "RE-77", "E-99", "whole id", "half id"]
)
async def test_a_search_finds_all_that_people_know(database: Database, text: str) -> None:
    found = await database.write(place, invoice_reference="RE-77", ers_reference="E-99")
    other: dict[str, Any] = {
        "customer_name": "Bo",
        "customer_email": "b@b.se",
        "customer_msisdn": "1",
        "title": "Plate",
    }
    await database.write(place, purchase_token="plate", **other)
    text = {"whole id": found, "half id": found[:-4].upper()}.get(text, text)
    assert found in await ids(database, Filter(q=text))


@pytest.mark.parametrize("text", ["%", "_", "100% \\ Åsa' --", "<b>", "RE-7"])
async def test_a_search_takes_every_character_as_itself(database: Database, text: str) -> None:
    await database.write(place, invoice_reference="RE-77")
    assert await ids(database, Filter(q=text)) == []
    odd = await database.write(place, customer_name=f"before {text} after")
    assert await ids(database, Filter(q=text)) == [odd]


async def test_counts_name_every_state(database: Database) -> None:
    for state in ("paid", "paid", "failed"):
        await database.write(place, state, attention="Look!" if state == "failed" else None)
    counts = await database.read(count)
    assert counts.by_state == {"received": 0, "invoiced": 0, "paid": 2, "stocked": 0, "failed": 1}
    assert (counts.total, counts.attention) == (3, 1)


async def test_a_row_that_is_gone_is_none(database: Database) -> None:
    assert await database.read(read_row, "nowhere") is None
    assert await database.read(read_purchase, "nowhere") is None
    assert await database.read(read_pay_code, "nowhere") is None


async def test_only_what_is_invoiced_can_be_paid(database: Database) -> None:
    invoiced = await database.write(place, "invoiced", invoice_qr_code="HTTP://SEQR.SE/R1")
    paid = await database.write(place, "paid", invoice_qr_code="HTTP://SEQR.SE/R2")
    assert await database.read(read_pay_code, invoiced) == "HTTP://SEQR.SE/R1"
    assert await database.read(read_pay_code, paid) is None


async def test_a_purchase_with_its_lines_and_its_way(database: Database) -> None:
    found = await database.read(read_purchase, await database.write(place, "paid"))
    assert found is not None
    assert [(line.title, line.quantity, line.total.value) for line in found.lines] == [
        ("Mug", 1, Decimal("149.00"))
    ]
    assert found.visited == ("received", "invoiced", "paid")
