"""The timeline of a purchase, as it is read on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from dashboard.queries.happenings import Acted, SeqrCall, Transition
from dashboard.queries.purchase import find_by_reference, read_pay_code, read_purchase
from dashboard.queries.timeline import UNFOLDED, SeqrCalls, Show, Timeline, read_texts, read_timeline
from orchestrator import note
from orchestrator.database import Database
from orchestrator.identity import now
from orchestrator.stamp import Stamp
from tests.fixtures import happenings
from tests.fixtures.dashboard import place
from tests.fixtures.shop import stocked


def _busy(connection: Connection, purchase_id: str, at: datetime) -> None:
    stocked(connection)

    def after(seconds: float) -> datetime:
        return at + timedelta(seconds=seconds)

    happenings.asks(connection, purchase_id, 3, after(1))
    happenings.notification(connection, purchase_id, after(4))
    happenings.asks(connection, purchase_id, 1, after(5), "PAID")
    happenings.taken(connection, purchase_id, after(6))
    happenings.mail(connection, purchase_id, created_at=after(7))


def kinds(timeline: Timeline) -> list[str]:
    return [item.kind for item in timeline.items]


async def test_what_is_not_there_has_no_timeline(database: Database) -> None:
    assert await database.read(read_timeline, "nowhere") == Timeline((), None)
    assert await database.read(read_texts, "nowhere", "none") is None


async def test_one_timeline_with_equal_calls_folded(database: Database) -> None:
    began = now() - timedelta(seconds=60)
    purchase_id = await database.write(place, "invoiced", at=began)
    await database.write(_busy, purchase_id, began)
    timeline = await database.read(read_timeline, purchase_id)
    assert kinds(timeline) == ["mail", "stock", "call", "notified", "calls", "transition", "transition"]
    folded = timeline.items[4]
    assert isinstance(folded, SeqrCalls)
    assert len(folded.calls) == len(folded.listed) == 3
    assert folded.latest.at == folded.at > folded.first.at
    assert isinstance(timeline.items[2], SeqrCall)
    assert len({item.anchor for item in timeline.items}) == 7


async def test_the_calls_alone_fold_across_what_came_between(database: Database) -> None:
    began = now() - timedelta(seconds=60)
    purchase_id = await database.write(place, "invoiced", at=began)
    await database.write(_busy, purchase_id, began)
    assert kinds(await database.read(read_timeline, purchase_id, Show.CALLS)) == ["call", "calls"]


async def test_what_people_did_is_told_once(database: Database) -> None:
    """A deed that left a row in the journal is told by that; another by the audit log."""
    purchase_id = await database.write(place, "invoiced", at=now() - timedelta(seconds=60))
    await database.write(_busy, purchase_id, now())
    stamp = Stamp("operator:olle", now())
    await database.write(note.add, purchase_id, "Call her back.", stamp)
    await database.write(happenings.deed, purchase_id, "purchase.check", "operator:olle", now())
    await database.write(happenings.deed, "another", "purchase.check", "operator:olle", now())
    acted, noted = (await database.read(read_timeline, purchase_id, Show.PEOPLE)).items
    assert isinstance(acted, Acted)
    assert (acted.action, acted.actor) == ("purchase.check", "operator:olle")
    assert isinstance(noted, Transition)
    assert (noted.trigger, noted.detail) == ("note", "Call her back.")
    assert kinds(await database.read(read_timeline, purchase_id)).count("acted") == 1


async def test_a_long_timeline_is_read_in_stretches_that_miss_nothing(database: Database) -> None:
    began = now() - timedelta(hours=1)
    purchase_id = await database.write(place, "invoiced", at=began)
    for number in range(10):
        at = began + timedelta(minutes=number + 1)
        detail = f"answer {number}"
        await database.write(happenings.call, purchase_id, at, operation="getPaymentStatus", detail=detail)
        await database.write(happenings.notification, purchase_id, at)
    seen, before = [], None
    while True:
        part = await database.read(read_timeline, purchase_id, Show.EVERYTHING, before, 7)
        seen += [item.anchor for item in part.items]
        before = part.earlier
        if before is None:
            break
    assert len(seen) == len(set(seen)) == 22
    whole = await database.read(read_timeline, purchase_id)
    assert seen == [item.anchor for item in whole.items]


async def test_of_very_many_equal_calls_the_latest_are_listed(database: Database) -> None:
    purchase_id = await database.write(place, "invoiced")
    await database.write(happenings.asks, purchase_id, UNFOLDED + 5, now())
    (folded,) = (await database.read(read_timeline, purchase_id, Show.CALLS)).items
    assert isinstance(folded, SeqrCalls)
    assert (len(folded.calls), len(folded.listed)) == (UNFOLDED + 5, UNFOLDED)
    assert folded.listed[0] == folded.latest


async def test_a_purchase_is_found_by_its_references(database: Database) -> None:
    found = await database.write(place, invoice_reference="R-77", ers_reference="E-99")
    await database.write(place)
    assert await database.read(find_by_reference, "R-77") == found
    assert await database.read(find_by_reference, "E-99") == found
    assert await database.read(find_by_reference, "R-7") is None


async def test_the_way_it_has_gone_leaves_out_what_moved_nothing(database: Database) -> None:
    purchase_id = await database.write(place, "paid")
    await database.write(note.add, purchase_id, "Hello", Stamp("operator:olle", now()))
    found = await database.read(read_purchase, purchase_id)
    assert found is not None
    assert found.visited == ("received", "invoiced", "paid")
    assert found.invoice is None
    assert await database.read(read_pay_code, purchase_id) is None
