"""What the pages read, on both databases."""

from __future__ import annotations

from decimal import Decimal

from dashboard.queries.purchase import read_pay_code, read_purchase
from dashboard.queries.purchases import count, read_changed
from orchestrator.database import Database
from tests.fixtures.dashboard import place


async def test_counts_name_every_state(database: Database) -> None:
    for state in ("paid", "paid", "failed"):
        await database.write(place, state, attention="Look!" if state == "failed" else None)
    counts = await database.read(count)
    assert counts.by_state == {"received": 0, "invoiced": 0, "paid": 2, "stocked": 0, "failed": 1}
    assert (counts.total, counts.attention) == (3, 1)


async def test_a_purchase_that_is_gone_is_none(database: Database) -> None:
    assert await database.read(read_purchase, "nowhere") is None
    assert await database.read(read_pay_code, "nowhere") is None


async def test_what_has_changed_is_read_at_once_but_for_what_is_gone(database: Database) -> None:
    paid, failed = await database.write(place, "paid"), await database.write(place, "failed")
    rows, counts = await database.read(read_changed, (failed, "nowhere", paid))
    assert [(row.id, row.state) for row in rows] == [(failed, "failed"), (paid, "paid")]
    assert counts.total == 2
    assert await database.read(read_changed, (), counts) == ([], counts)


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
