"""Metrics: what the process did, and what the database holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Connection, insert

from orchestrator import census
from orchestrator.database import Database
from orchestrator.identity import new_id, now
from orchestrator.metrics import Figures, Metrics, routes
from orchestrator.seqr.messages import Exchange, Verdict
from orchestrator.tables import invoice_attempts, journal, outbox
from tests.fixtures.operations import NoDatabase, calling, keep_purchase, parts_on

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def seconds_ago(seconds: float) -> datetime:
    return AT - timedelta(seconds=seconds)


async def samples(figures: Figures) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in text_string_to_metric_families((await figures.text()).decode()):
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def open_invoice(connection: Connection, /, issued_at: datetime, **changes: Any) -> None:
    purchase_id = keep_purchase(connection, issued_at, next_check_at=issued_at, **changes)
    row = {
        "id": new_id(),
        "purchase_id": purchase_id,
        "number": 1,
        "state": "open",
        "version": 0,
        "reference": "R1",
    }
    connection.execute(insert(invoice_attempts).values(**row, sent_at=issued_at, issued_at=issued_at))


def moved(connection: Connection, purchase_id: str, *moves: tuple[datetime, str | None, str]) -> None:
    for sequence, (at, source, target) in enumerate(moves, 1):
        row = {"purchase_id": purchase_id, "sequence": sequence, "at": at, "trigger": "t", "actor": "a"}
        connection.execute(insert(journal).values(**row, source=source, target=target, detail=""))


async def test_an_empty_shop_counts_zero(database: Database) -> None:
    found = await database.read(census.take, AT)
    assert found.purchases == {"received": 0, "invoiced": 0, "paid": 0, "stocked": 0, "failed": 0}
    assert found.mails == {"queued": 0, "sent": 0, "kept": 0, "failed": 0}
    assert (found.open_invoices, found.longest_unasked, found.attention) == (0, 0.0, 0)
    assert found.oldest == {"received": 0.0, "invoiced": 0.0, "paid": 0.0}
    assert found.stays == {}


async def test_purchases_are_counted_by_state_and_by_how_long_they_stand_still(database: Database) -> None:
    await database.write(keep_purchase, seconds_ago(30), state="paid", attention="The stock lacks 1 mug.")
    await database.write(keep_purchase, seconds_ago(90), state="paid")
    await database.write(keep_purchase, seconds_ago(500), state="stocked")
    found = await database.read(census.take, AT)
    assert (found.purchases["paid"], found.purchases["stocked"], found.attention) == (2, 1, 1)
    assert found.oldest == {"received": 0.0, "invoiced": 0.0, "paid": 90.0}


async def test_the_open_invoice_that_waits_longest_for_a_question_is_found(database: Database) -> None:
    await database.write(open_invoice, seconds_ago(60), asked_at=seconds_ago(2))
    await database.write(open_invoice, seconds_ago(7))
    found = await database.read(census.take, AT)
    assert (found.open_invoices, found.longest_unasked) == (2, 7.0)


async def test_stays_are_averaged_over_the_moves_lately(database: Database) -> None:
    first = await database.write(keep_purchase)
    second = await database.write(keep_purchase)
    old = await database.write(keep_purchase)
    await database.write(
        moved,
        first,
        (seconds_ago(100), None, "received"),
        (seconds_ago(90), "received", "invoiced"),
        (seconds_ago(80), "invoiced", "invoiced"),
        (seconds_ago(60), "invoiced", "paid"),
    )
    await database.write(
        moved, second, (seconds_ago(50), None, "received"), (seconds_ago(30), "received", "invoiced")
    )
    await database.write(
        moved, old, (seconds_ago(9000), None, "received"), (seconds_ago(8000), "received", "failed")
    )
    assert (await database.read(census.take, AT)).stays == {"received": 15.0, "invoiced": 30.0}


async def test_mails_are_counted_by_state(database: Database) -> None:
    def mail(connection: Connection, state: str) -> None:
        row = {"id": new_id(), "purchase_id": keep_purchase(connection), "kind": "k", "number": 1}
        row |= {"state": state, "recipient": "a@b", "message_id": "m", "attempts": 0}
        connection.execute(insert(outbox).values(**row, created_at=AT))

    for state in ("queued", "queued", "failed"):
        await database.write(mail, state)
    assert (await database.read(census.take, AT)).mails == {"queued": 2, "sent": 0, "kept": 0, "failed": 1}


async def test_the_database_shows_in_the_text(database: Database) -> None:
    await database.write(keep_purchase, state="paid", attention="Look.")
    await database.write(open_invoice, now() - timedelta(seconds=40))
    found = await samples(Figures(database, Metrics()))
    assert found["orchestrator_purchases{paid}"] == 1
    assert found["orchestrator_purchases{received}"] == 0
    assert found["orchestrator_purchases_attention"] == 1
    assert found["orchestrator_open_invoices"] == 1
    assert 40 <= found["orchestrator_longest_unasked_seconds"] < 50
    assert found["orchestrator_outbox_mails{queued}"] == 0
    assert found["orchestrator_database_up"] == 1


async def test_scrapes_close_together_count_once(database: Database) -> None:
    figures = Figures(database, Metrics())
    await samples(figures)
    await database.write(keep_purchase, state="paid")
    assert (await samples(figures))["orchestrator_purchases{paid}"] == 0


async def test_without_the_database_the_process_still_tells_of_itself() -> None:
    metrics = Metrics()
    metrics.request("/seqr/createPurchase", 503, 0.2)
    found = await samples(Figures(NoDatabase(), metrics))
    assert found["orchestrator_create_purchase_requests_total{unavailable}"] == 1
    assert found["orchestrator_database_up"] == 0
    assert "orchestrator_open_invoices" not in found


async def test_calls_to_seqr_are_counted_and_timed() -> None:
    metrics = Metrics()
    for verdict in (Verdict.ANSWERED, Verdict.ANSWERED, Verdict.UNKNOWN):
        metrics.observe(Exchange("sendInvoice", AT, 250.0, verdict, None, "", "", ""))
    found = await samples(Figures(NoDatabase(), metrics))
    assert found["orchestrator_seqr_calls_total{sendInvoice,answered}"] == 2
    assert found["orchestrator_seqr_calls_total{sendInvoice,unknown}"] == 1
    assert found["orchestrator_seqr_call_seconds_count{sendInvoice}"] == 3
    assert found["orchestrator_seqr_call_seconds_sum{sendInvoice}"] == 0.75


async def test_requests_are_counted_by_what_became_of_them() -> None:
    metrics = Metrics()
    for status in (200, 200, 404, 409, 422, 500):
        metrics.request("/seqr/createPurchase", status, 0.1)
    for status in (200, 404, 503):
        metrics.request("/seqr/notification/key", status, 0.1)
    metrics.request("/api/v1/purchases", 200, 0.1)
    found = await samples(Figures(NoDatabase(), metrics))
    prefix = "orchestrator_create_purchase_requests_total"
    assert {name: value for name, value in found.items() if name.startswith(prefix)} == {
        f"{prefix}{{answered}}": 2,
        f"{prefix}{{unknown_token}}": 1,
        f"{prefix}{{out_of_stock}}": 1,
        f"{prefix}{{invalid}}": 1,
        f"{prefix}{{failed}}": 1,
    }
    assert found["orchestrator_create_purchase_seconds_count"] == 6
    told = [found[f"orchestrator_notifications_total{{{name}}}"] for name in ("known", "unknown", "failed")]
    assert told == [1, 1, 1]


async def test_the_address_answers_in_prometheus_text() -> None:
    async with calling(routes(parts_on(NoDatabase()), Metrics())) as http:
        answer = await http.get("/metrics", headers={"Authorization": ""})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert "# HELP orchestrator_seqr_calls_total" in answer.text
