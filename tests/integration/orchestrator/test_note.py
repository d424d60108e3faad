"""Notes about a purchase."""

from __future__ import annotations

import pytest

from orchestrator import note
from orchestrator.identity import now
from orchestrator.note import NoteRefused
from orchestrator.purchase import PurchaseUnknown
from orchestrator.stamp import Stamp
from orchestrator.tables import audit, journal
from tests.fixtures.desk import Desk

EVA = Stamp("operator:eva", now())


async def test_a_note_is_in_the_journal_and_in_the_audit_log(desk: Desk) -> None:
    purchase_id = await desk.buy()
    text = " The customer rang.\r\nWants it \x07blue.\rSoon. "
    after = await desk.database.write(note.add, purchase_id, text, EVA, "192.0.2.7")
    assert after.revision == (await desk.only())["revision"] == 3
    written = (await desk.rows(journal, journal.c.sequence))[-1]
    assert (written["trigger"], written["actor"]) == ("note", "operator:eva")
    assert written["detail"] == "The customer rang.\nWants it blue.\nSoon."
    assert (written["source"], written["target"]) == ("invoiced", "invoiced")
    (entry,) = await desk.rows(audit)
    assert (entry["action"], entry["subject"]) == ("purchase.note", purchase_id)
    assert entry["detail"] == written["detail"]
    assert entry["address"] == "192.0.2.7"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (" \n\t ", "A note has to say something. Write it and send it again."),
        ("x" * 1001, "A note may have 1000 characters. Shorten it, or write two."),
    ],
)
async def test_a_note_says_something_in_a_thousand_characters(desk: Desk, text: str, why: str) -> None:
    purchase_id = await desk.buy()
    with pytest.raises(NoteRefused) as refusal:
        await desk.database.write(note.add, purchase_id, text, EVA)
    assert refusal.value.message == why
    assert (await desk.only())["revision"] == 2
    await desk.database.write(note.add, purchase_id, "x" * 1000, EVA)


async def test_a_note_needs_a_purchase(desk: Desk) -> None:
    with pytest.raises(PurchaseUnknown):
        await desk.database.write(note.add, "nonsense", "Hello", EVA)


async def test_who_writes_it_from_no_address_has_none_in_the_audit_log(desk: Desk) -> None:
    await desk.database.write(note.add, await desk.buy(), "By the command.", EVA)
    (entry,) = await desk.rows(audit)
    assert entry["address"] == ""
