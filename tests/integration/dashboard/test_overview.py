"""The overview: its numbers, what they link to, what helps, on both databases."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, event, insert, update

from dashboard.queries.overview import read_board, read_figures, read_needy
from dashboard.window import window
from orchestrator import pulse, tally
from orchestrator.database import Database
from orchestrator.identity import new_id, now
from orchestrator.journal import mark
from orchestrator.purchase import load
from orchestrator.stamp import Stamp
from orchestrator.tables import invoice_attempts, products, purchase_lines
from statemachine import Action
from tests.fixtures.dashboard import Office, Visitor, place
from tests.fixtures.shop import stocked

STOCKHOLM = ZoneInfo("Europe/Stockholm")
BIG = ("purchases", "journal", "invoice_attempts", "exchanges", "search_terms")
LATEST = "FROM journal JOIN purchases"
"""Reads the journal from its end, and no further than its limit: the key is its index."""


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def section(page: str, name: str) -> str:
    found = re.search(rf'<section id="{name}".*?</section>', page, re.DOTALL)
    assert found is not None
    return found[0]


def links(html: str) -> list[str]:
    return [unescape(address) for address in re.findall(r'href="(/purchases\?[^"]*)"', html)]


async def marked(database: Database, purchase_id: str, why: str) -> None:
    def work(connection: Connection) -> None:
        mark(connection, load(connection, purchase_id), why, Stamp("test", now()))

    await database.write(work)


async def stock(database: Database, on_hand: int) -> None:
    def work(connection: Connection) -> None:
        connection.execute(update(products).where(products.c.token == "mug").values(on_hand=on_hand))

    await database.write(work)


async def test_numbers_of_a_window(database: Database) -> None:
    at = now()
    looked_at = window("today", at, STOCKHOLM)
    await database.write(place, "stocked", at, amount=Decimal(100))
    await database.write(place, "paid", at, amount=Decimal(50))
    await database.write(place, "stocked", at, amount=Decimal(7), currency="EUR")
    await database.write(place, "failed", at)
    await database.write(place, "stocked", looked_at.since - timedelta(minutes=1))
    for _ in ("not folded", "folded"):
        figures = await database.read(read_figures, looked_at)
        assert (figures.created.number, figures.sold.number, figures.conversion) == (4, 3, Decimal(75))
        assert [(m.value, m.currency) for m in figures.sold.money] == [
            (Decimal(150), "SEK"),
            (Decimal(7), "EUR"),
        ]
        assert figures.states["failed"].number == 1
        assert figures.states["received"].number == 0
        assert sum(bar.created for bar in figures.bars) == 4
        assert sum(bar.sold for bar in figures.bars) == 3
        await tally.run_once(database)


async def test_time_to_pay_is_told_of_purchases_of_the_window_that_are_sold(database: Database) -> None:
    looked_at = window("day", now(), STOCKHOLM)
    assert (await database.read(read_figures, looked_at)).time_to_pay is None
    for _ in range(3):
        await database.write(place, "stocked", now() - timedelta(hours=1))
    await database.write(place, "stocked", looked_at.since - timedelta(hours=1))
    await database.write(place, "invoiced")
    found = (await database.read(read_figures, looked_at)).time_to_pay
    assert found is not None
    # The fixture puts a millisecond between two states.
    assert (found.payments, found.median, found.p95) == (3, 0.001, 0.001)


async def test_every_number_leads_to_a_list_with_as_many(office: Office) -> None:
    for state, hours in (("stocked", 0), ("stocked", 2), ("paid", 30), ("failed", 50), ("stocked", 200)):
        await office.purchase(state, at=now() - timedelta(hours=hours))
    visitor = await office.signed_in("vera")
    for span in ("today", "day", "week"):
        page = await visitor.get(f"/?window={span}")
        figures = section(page, "figures")
        for state in ("received", "invoiced", "paid", "stocked", "failed"):
            item = re.search(rf'<li id="state-{state}">.*?</li>', figures, re.DOTALL)
            assert item is not None
            shown = re.search(r'class="number">(\d+)', item[0])
            assert shown is not None
            assert await rows_behind(visitor, links(item[0])[0]) == int(shown[1])
        for address in links(section(page, "chart")):
            assert address.count("since=") == address.count("until=") == 1
        table = re.findall(r'<a href="([^"]+)">(\d+)</a>', section(page, "chart"))
        for address, number in [entry for entry in table if entry[1] != "0"]:
            assert await rows_behind(visitor, unescape(address)) == int(number)


async def rows_behind(visitor: Visitor, address: str) -> int:
    return (await visitor.get(address)).count('<tr id="p-')


async def test_an_empty_shop_is_told_kindly(office: Office) -> None:
    page = await (await office.signed_in()).get("/")
    assert "Sold today nothing yet 0 purchases" in text(section(page, "figures"))
    assert "No purchase needs a hand." in page
    assert "All is quiet" in section(page, "health")
    assert "No purchase yet." in section(page, "feed")


async def test_who_paid_and_got_the_money_back_is_not_forgotten(office: Office) -> None:
    await office.purchase("failed", reason="expired")
    for _ in range(2):
        await office.purchase("failed", reason="reversed")
    await office.purchase("failed", reason="reversed", at=now() - timedelta(days=3))
    visitor = await office.signed_in()
    needing = section(await visitor.get("/"), "attention")
    assert "2 customers paid and got the money back , since nobody could ask SEQR in time." in text(needing)
    assert "No purchase needs a hand" not in needing
    assert await rows_behind(visitor, unescape(links(needing)[0])) == 2


UNTOLD = "SEQR refuses to tell about invoice R1: 54 INVALID_INVOICE_REFERENCE."


async def test_invoices_that_seqr_will_not_tell_about_are_said_to_be_so(sqlite_office: Office) -> None:
    await sqlite_office.purchase("invoiced")
    for _ in range(2):
        await sqlite_office.purchase("invoiced", attention=UNTOLD)
    visitor = await sqlite_office.signed_in()
    health = section(await visitor.get("/"), "health")
    assert "SEQR refuses to tell about 2 invoices: nobody knows whether they are paid." in text(health)
    assert "Money flows" not in health
    assert "1 customer may pay now" in text(health)
    swedish = await visitor.get("/", headers={"Accept-Language": "sv"})
    assert "SEQR vägrar svara om 2 fakturor: ingen vet om de är betalda." in text(swedish)


async def test_while_seqr_is_silent_nobody_is_told_that_all_is_well(sqlite_office: Office) -> None:
    visitor = await sqlite_office.signed_in()
    long_ago = now() - timedelta(seconds=30)
    purchase_id = await sqlite_office.purchase("invoiced", next_check_at=now(), asked_at=long_ago)
    await sqlite_office.database.write(_opened, purchase_id)
    needing = section(await visitor.get("/"), "attention")
    assert "SEQR does not answer, so nobody can tell who has paid." in text(needing)
    assert "No purchase needs a hand" not in needing


async def test_a_mark_counts_from_its_first_words(sqlite_office: Office) -> None:
    purchase_id = await sqlite_office.purchase("invoiced", at=now() - timedelta(minutes=9))
    for minutes, why in ((7, UNTOLD), (6, None), (5, UNTOLD), (1, UNTOLD.replace("R1", "R2"))):
        at = now() - timedelta(minutes=minutes)
        await sqlite_office.database.write(_remarked, purchase_id, why, at)
    needing = section(await (await sqlite_office.signed_in()).get("/"), "attention")
    assert "for 5 min" in text(needing)


def _remarked(connection: Connection, /, purchase_id: str, why: str | None, at: datetime) -> None:
    mark(connection, load(connection, purchase_id), why, Stamp("reconciler", at))


def _opened(connection: Connection, /, purchase_id: str) -> None:
    row = {"id": new_id(), "purchase_id": purchase_id, "number": 1, "state": "open", "reference": "R1"}
    connection.execute(insert(invoice_attempts).values(**row, version=0, sent_at=now(), issued_at=now()))


async def test_after_the_sign_in_one_sees_the_overview(office: Office) -> None:
    page = await office.visitor().sign_in("vera")
    assert "<h1>Overview</h1>" in page


@pytest.mark.parametrize(
    ("state", "why", "button", "action"),
    [
        ("invoiced", "SEQR says FOO.", "Check now", Action.CHECK),
        ("received", "SEQR is away.", "Retry", Action.RETRY),
        ("failed", "It was paid another sum.", "Check now", Action.CHECK),
        ("paid", "Paid, but the stock lacked 1 × mug.", "Retry", Action.RETRY),
    ],
)
async def test_one_button_helps(office: Office, state: str, why: str, button: str, action: Action) -> None:
    purchase_id = await office.purchase(state)
    await marked(office.database, purchase_id, why)
    visitor = await office.signed_in()
    needs = section(await visitor.get("/?window=week"), "attention")
    assert why in text(needs)
    found = re.search(
        rf'<button form="help" formaction="([^"]+)" name="seen" value="(\d+)"[^>]*>{button}<', needs
    )
    assert found is not None
    assert needs.count("<button") == 1
    page = await visitor.send(found[1], form_at="/?window=week", seen=found[2], next="/?window=week")
    assert [(row[0], row[1]) for row in office.settlement.recorded] == [(purchase_id, action)]
    assert "<h1>Overview</h1>" in page
    assert 'aria-current="true">7 days<' in page


async def test_what_the_stock_lacks_is_to_be_received(office: Office) -> None:
    purchase_id = await office.purchase("paid")
    await marked(office.database, purchase_id, "Paid, but the stock lacks 1 × mug (0 left).")
    await stock(office.database, 0)
    visitor = await office.signed_in()
    needs = section(await visitor.get("/"), "attention")
    assert re.search(r'<a class="button" href="/products/mug"[^>]*>Receive stock<', needs)
    assert "<button" not in needs


async def test_held_goods_are_not_missing_though_none_are_free(database: Database) -> None:
    await database.write(stocked)
    for holds in (True, False):
        await marked(database, await database.write(place, "paid", holds_stock=holds), "Look!")

    def reserve_all(connection: Connection) -> None:
        connection.execute(update(products).where(products.c.token == "mug").values(on_hand=1, reserved=1))

    await database.write(reserve_all)
    assert [needy.missing for needy in await database.read(read_needy)] == ["mug", None]


async def test_who_only_looks_gets_no_button(office: Office) -> None:
    await marked(office.database, await office.purchase("invoiced"), "SEQR says FOO.")
    needs = section(await (await office.signed_in("vera")).get("/"), "attention")
    assert "<button" not in needs
    assert "Open it" in needs


async def test_more_than_are_shown_are_counted(office: Office) -> None:
    def many(connection: Connection) -> None:
        for _ in range(23):
            place(connection, "paid", attention="Look!")

    await office.database.write(many)
    needs = section(await (await office.signed_in()).get("/"), "attention")
    assert needs.count('<li id="needy-') == 20
    assert "Show all 23" in text(needs)
    assert "/purchases?attention=1" in links(needs)


def _plans(connection: Connection, at: datetime) -> list[str]:
    """The plan of each statement that the overview runs, as one text each."""
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    read_board(connection, window("week", at, STOCKHOLM))
    pulse.read(connection, at)
    event.remove(connection, "before_cursor_execute", note)
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
    plans = []
    for statement, parameters in statements:
        if statement.startswith("SELECT"):
            rows = connection.exec_driver_sql(explain + statement, parameters)
            plans.append("\n".join([statement, *(f"PLAN {row[-1]}" for row in rows)]))
    return plans


async def test_no_statement_reads_a_big_table_from_end_to_end(database: Database) -> None:
    """With few rows PostgreSQL would rather do so; it is told not to, and obeys where it has an index."""
    await database.write(place, "stocked")
    plans = await database.read(_plans, now())
    assert len(plans) > 8
    for plan in plans:
        for table in BIG:
            whole = [rf"PLAN .*Seq Scan on {table}\b", rf"PLAN SCAN {table}$"]
            if LATEST not in " ".join(plan.split()):
                assert not any(re.search(pattern, plan, re.MULTILINE) for pattern in whole), plan


async def test_lines_of_charges_are_no_goods(database: Database) -> None:
    """A delivery charge names no product, so the stock cannot lack it."""
    await database.write(stocked)
    purchase_id = await database.write(place, "paid")

    def charge(connection: Connection) -> None:
        prices = {"unit_price": Decimal(49), "total": Decimal(49), "tax_rate": Decimal(25)}
        line = {
            "purchase_id": purchase_id,
            "position": 2,
            "kind": "charge",
            "title": "Delivery",
            "quantity": 1,
        }
        connection.execute(insert(purchase_lines).values(**line, **prices))

    await database.write(charge)
    await marked(database, purchase_id, "Look!")
    (needy,) = await database.read(read_needy)
    assert (needy.missing, needy.since.tzinfo) == (None, UTC)
