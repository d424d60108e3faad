"""What the pages read, on both databases."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from dashboard.queries.purchase import read_pay_code, read_purchase
from dashboard.queries.purchases import Filter, Place, count, read_page, read_row
from dashboard.queries.timeline import SeqrCall, SeqrCalls, read_timeline
from orchestrator.database import Database
from orchestrator.identity import new_id, now
from orchestrator.tables import exchanges, notifications, outbox, stock_movements
from tests.fixtures.dashboard import place
from tests.fixtures.shop import stocked

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
    assert await database.read(read_timeline, "nowhere") == []


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


def _busy(connection: Connection, purchase_id: str) -> None:
    stocked(connection)
    at = now()

    def after(seconds: float) -> dict[str, object]:
        return {"id": new_id(), "purchase_id": purchase_id, "at": at + timedelta(seconds=seconds)}

    def call(seconds: float, detail: str) -> dict[str, object]:
        texts = {
            "operation": "getPaymentStatus",
            "verdict": "answered",
            "result_code": 0,
            "request": "",
            "response": "",
        }
        begun = {"id": new_id(), "purchase_id": purchase_id, "started_at": at + timedelta(seconds=seconds)}
        return {**begun, **texts, "detail": detail, "duration_ms": 20.0}

    calls = [call(1, "ISSUED"), call(2, "ISSUED"), call(3, "ISSUED"), call(5, "PAID")]
    connection.execute(insert(exchanges), calls)
    connection.execute(insert(notifications).values(**after(4), sender="10.0.0.1"))
    move = {
        "product_token": "mug",
        "kind": "take",
        "on_hand": -1,
        "reserved": -1,
        "reason": "",
        "actor": "test",
    }
    connection.execute(insert(stock_movements).values(**after(6), **move))
    mail = {
        "kind": "order_confirmation",
        "number": 1,
        "state": "kept",
        "recipient": "a@b.se",
        "message_id": "m",
    }
    sent = {"id": new_id(), "purchase_id": purchase_id, "created_at": at + timedelta(seconds=7)}
    connection.execute(insert(outbox).values(**sent, **mail))


async def test_one_timeline_with_equal_calls_folded(database: Database) -> None:
    purchase_id = await database.write(place, "invoiced", at=now() - timedelta(seconds=60))
    await database.write(_busy, purchase_id)
    timeline = await database.read(read_timeline, purchase_id)
    kinds = ["mail", "stock", "call", "notified", "calls", "transition", "transition"]
    assert [item.kind for item in timeline] == kinds
    folded = timeline[4]
    assert isinstance(folded, SeqrCalls)
    assert len(folded.calls) == 3
    assert folded.latest.at == folded.at > folded.first.at
    assert isinstance(timeline[2], SeqrCall)
