"""Erasing customers: whose time is over, what stays, and that nothing anywhere still tells who it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, update

from orchestrator import erasure, listing, outbox
from orchestrator.app import erase
from orchestrator.database import Database, open_database
from orchestrator.erasure import CustomerErased
from orchestrator.identity import now
from orchestrator.postman import Postman
from orchestrator.purchase import Order, load
from orchestrator.selection import Filter
from orchestrator.stamp import Stamp
from orchestrator.tables import bulk_runs, exchanges, journal
from orchestrator.tables import outbox as mails
from statemachine import Action, NotAllowed
from tests.fixtures.dashboard import place
from tests.fixtures.desk import Desk
from tests.fixtures.traces import traces, words_of

ASA = Order(
    purchase_token="mug",
    name="Åsa Hagström-Öhrn",
    street="Kvarnvägen 17",
    city="Vännäs",
    state="Bygden",
    zip="911 31",
    country="Sverige",
    email="asa.hoog@nordan.example",
    msisdn="46701234567",
)
DAYS = 30
EVA = Stamp("operator:eva", now())
KEPT = ("id", "state", "reason", "revision", "purchase_token", "title", "amount", "currency", "created_at")


async def sold(desk: Desk, order: Order) -> str:
    """A purchase that is stocked, with its mail written and kept."""
    purchase_id = await desk.buy(order)
    desk.seqr.pay(f"R{len(desk.seqr.sent)}")
    await desk.tick(2)
    await Postman(desk.database, desk.parts.settings, clock=desk.clock).run_once()
    return purchase_id


def mention(connection: Connection, purchase_id: str) -> None:
    """SEQR's answers and a mail server's refusal tell of the customer, too."""
    said = f"<receipt>{ASA.msisdn} {ASA.name}</receipt>"
    connection.execute(update(exchanges).where(exchanges.c.purchase_id == purchase_id).values(response=said))
    refusal = f"550 {ASA.email} unknown"
    connection.execute(update(mails).where(mails.c.purchase_id == purchase_id).values(last_error=refusal))


async def test_nothing_anywhere_tells_who_an_erased_customer_was(desk: Desk) -> None:
    purchase_id = await sold(desk, ASA)
    await desk.database.write(mention, purchase_id)
    before = await desk.only()
    found = await desk.database.read(traces, words_of(ASA))
    for where in ("purchases.customer_name", "search_terms.term", "outbox.text_body", "exchanges.response"):
        assert [trace for trace in found if trace.startswith(where)], "else this test would see nothing"

    assert await desk.database.write(erasure.prune, desk.clock.turn(86_400 * DAYS + 1), DAYS) == 1
    assert await desk.database.read(traces, words_of(ASA)) == []
    after = await desk.only()
    assert after["customer_erased_at"] == desk.clock()
    for name in (*KEPT, "invoice_reference", "ers_reference", "updated_at"):
        assert after[name] == before[name]
    for words in ("åsa", "hagström", ASA.email, ASA.msisdn, "0701234567", "nordan.example"):
        assert (await desk.database.read(listing.page, Filter(q=words), 10)).ids == ()
    assert (await desk.database.read(listing.page, Filter(q=purchase_id), 10)).ids == (purchase_id,)


async def test_not_even_the_file_holds_an_erased_customer(sqlite_only: Database, tmp_path: Path) -> None:
    """What SQLite has freed, it has overwritten."""
    parts: dict[str, Any] = {"customer_name": ASA.name, "customer_email": ASA.email}
    ids = [await sqlite_only.write(place, "stocked", **parts) for _ in range(20)]
    told = [value.encode() for value in parts.values()]
    assert all(value in _bytes(tmp_path) for value in told)
    await sqlite_only.write(erasure.blank, ids, now())
    await sqlite_only.close()
    assert [value for value in told if value in _bytes(tmp_path)] == []


def _bytes(folder: Path) -> bytes:
    """The database's file and, while it is open, the log beside it."""
    return b"".join(path.read_bytes() for path in folder.glob("only.db*"))


async def test_a_retry_at_the_same_moment_and_the_erasing_do_not_both_win(desk: Desk) -> None:
    ids = [await desk.buy(replace(ASA, email=f"{number}@nordan.example")) for number in range(8)]
    for number in range(8):
        desk.seqr.says(f"R{number + 1}", "FAILED")
    await desk.tick(2)
    at = desk.clock.turn(86_400 * DAYS + 1)
    acts = [desk.act(purchase_id, Action.RETRY) for purchase_id in ids]
    prunes = [desk.database.write(erasure.prune, at, DAYS) for _ in range(2)]
    done = await asyncio.gather(*acts[:4], *prunes, *acts[4:], return_exceptions=True)
    unexpected = [one for one in done if isinstance(one, BaseException) and not isinstance(one, NotAllowed)]
    assert unexpected == []
    for row in await desk.purchases():
        assert (row["state"] == "failed") == (row["customer_name"] == ""), row


async def test_the_books_stay_as_they_were(desk: Desk) -> None:
    await sold(desk, ASA)
    told, moved, sent = await desk.rows(journal), await desk.movements(), await desk.mails()
    calls = [(row["operation"], row["verdict"], row["started_at"]) for row in await desk.rows(exchanges)]
    await desk.database.write(erasure.prune, desk.clock.turn(86_400 * DAYS + 1), DAYS)
    assert (await desk.rows(journal), await desk.movements(), await desk.mails()) == (told, moved, sent)
    assert calls == [
        (row["operation"], row["verdict"], row["started_at"]) for row in await desk.rows(exchanges)
    ]
    assert (await desk.rows(mails))[0]["sent_at"] is None


async def test_only_what_finished_long_ago_is_erased(desk: Desk) -> None:
    old = desk.clock() - timedelta(days=DAYS, seconds=1)
    for state in ("received", "invoiced", "paid"):
        await desk.database.write(place, state, old)
    await desk.database.write(place, "stocked", old, attention="Somebody has to look.")
    await desk.database.write(place, "failed", old, next_check_at=old)
    await desk.database.write(place, "stocked", old + timedelta(seconds=2))
    with_mail = await desk.database.write(place, "stocked", old)
    await desk.database.write(outbox.enqueue, with_mail, "order_confirmation", "anna@example.com", old)
    due = {await desk.database.write(place, state, old) for state in ("stocked", "failed")}

    assert await desk.database.write(erasure.prune, desk.clock(), DAYS) == len(due)
    assert await desk.database.write(erasure.prune, desk.clock(), DAYS) == 0
    erased = {row["id"] for row in await desk.purchases() if row["customer_erased_at"]}
    assert erased == due
    assert all((row["customer_name"] == "") == (row["id"] in due) for row in await desk.purchases())


async def test_the_job_works_in_bites_and_only_when_it_is_set(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_BITE", 2)
    for _ in range(5):
        await desk.database.write(place, "stocked", now() - timedelta(days=DAYS + 1))
    assert await erase(desk.parts) == 0
    forgetful = replace(
        desk.parts, settings=desk.parts.settings.model_copy(update={"customer_retention_days": DAYS})
    )
    assert await erase(forgetful) == 5
    assert await erase(forgetful) == 0


async def test_two_processes_share_the_work(
    desk: Desk, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_BITE", 2)
    for _ in range(6):
        await desk.database.write(place, "stocked", desk.clock() - timedelta(days=DAYS + 1))
    other = open_database(database_url)
    bites = [
        database.write(erasure.prune, desk.clock(), DAYS)
        for database in (desk.database, other)
        for _ in "123"
    ]
    assert sum(await asyncio.gather(*bites)) == 6, "each by one of them"
    await other.close()
    assert all(row["customer_erased_at"] for row in await desk.purchases())


async def test_an_index_finds_whose_time_is_over(database: Database) -> None:
    plan = await database.write(_plan)
    assert "purchases_to_erase" in plan, plan


def _plan(connection: Connection) -> str:
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    seen: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        seen.append((statement, values))

    event.listen(connection, "before_cursor_execute", keep)
    erasure.prune(connection, now(), DAYS)
    event.remove(connection, "before_cursor_execute", keep)
    explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
    statement, values = seen[0]
    return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", values))


async def test_an_erased_purchase_is_not_started_over_and_no_mail_of_it_goes_out(desk: Desk) -> None:
    purchase_id = await desk.buy(ASA)
    desk.seqr.says("R1", "FAILED")
    await desk.tick(2)
    await desk.database.write(erasure.blank, [purchase_id], desk.clock())
    with pytest.raises(NotAllowed, match="there is nobody to send the goods or a link to"):
        await desk.act(purchase_id, Action.RETRY)
    await desk.database.write(outbox.enqueue, purchase_id, "payment_link", "", desk.clock())
    (mail,) = await desk.rows(mails)
    with pytest.raises(CustomerErased, match="there is no address"):
        await desk.database.write(outbox.resend, mail["id"], EVA)


async def test_a_payment_that_comes_after_the_erasing_waits_for_the_merchant(desk: Desk) -> None:
    purchase_id = await desk.buy(ASA)
    desk.seqr.says("R1", "FAILED")
    await desk.tick(2)
    await desk.database.write(erasure.blank, [purchase_id], desk.clock())
    desk.seqr.pay("R1")
    await desk.act(purchase_id, Action.CHECK)
    row = await desk.only()
    assert (row["state"], row["attention"]) == ("paid", erasure.PAID_LATE)
    assert (await desk.mails(), await desk.stock()) == ([], (10, 0))


async def test_the_same_order_again_is_a_new_purchase(desk: Desk) -> None:
    purchase_id = await sold(desk, ASA)
    await desk.database.write(erasure.blank, [purchase_id], desk.clock())
    again = await desk.buy(ASA)
    assert again != purchase_id
    assert (await desk.database.read(load, again)).customer_name == ASA.name


async def test_what_was_searched_for_in_a_bulk_run_goes_with_its_time(desk: Desk) -> None:
    old, at = desk.clock() - timedelta(days=DAYS + 1), desk.clock()
    rows = [
        {"id": "odd", "selection": "/purchases?xq=1&q=asa", "ended_at": old},
        {"id": "old", "selection": "/purchases?state=paid&q=%C3%85sa+H", "ended_at": old},
        {"id": "new", "selection": "/purchases?q=bo", "ended_at": at},
    ]
    common = {"action": "check", "actor": "operator:eva", "why": "", "state": "done", "total": 1}
    counts = {"done": 1, "refused": 0, "failed": 0, "created_at": old}
    runs = [{**common, **counts, **row} for row in rows]

    def keep(connection: Connection) -> None:
        connection.execute(insert(bulk_runs), runs)

    await desk.database.write(keep)
    assert await desk.database.write(erasure.prune_searches, at, DAYS) == 2
    assert await desk.database.write(erasure.prune_searches, at, DAYS) == 0
    left = {row["id"]: row["selection"] for row in await desk.rows(bulk_runs)}
    assert left == {"odd": "/purchases", "old": "/purchases?state=paid", "new": "/purchases?q=bo"}
