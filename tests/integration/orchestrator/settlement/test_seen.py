"""Two people act at once: the second is told what has changed, and nothing is done."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator import delivery, issuing, operation
from orchestrator.intent import Changed, Intent
from orchestrator.sending import SeqrUnavailable
from orchestrator.stamp import Stamp
from orchestrator.tables import audit, journal
from statemachine import Action
from tests.fixtures.desk import OPERATOR, Desk
from tests.fixtures.seqr import busy

BERIT = "operator:berit"


async def _seen(desk: Desk) -> int:
    return int((await desk.only())["revision"])


async def _failed(desk: Desk) -> str:
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "CANCELED")
    await desk.tick(2)
    return purchase_id


async def _received(desk: Desk) -> str:
    desk.seqr.then("sendInvoice", busy())
    with pytest.raises(SeqrUnavailable):
        await desk.buy()
    return str((await desk.only())["id"])


async def _details(desk: Desk) -> list[str]:
    return [str(row["detail"]) for row in await desk.rows(journal, journal.c.sequence)]


async def test_who_saw_it_as_it_is_may_act_and_the_reason_is_kept(desk: Desk) -> None:
    purchase_id = await desk.buy()
    await desk.act(purchase_id, Action.CANCEL, seen=await _seen(desk), why="The customer rang.")
    assert await desk.state() == ("failed", "cancelled_by_merchant")
    assert "The shop asks SEQR to cancel the invoice. Why: The customer rang." in await _details(desk)
    (entry,) = await desk.rows(audit)
    assert (entry["action"], entry["subject"]) == ("purchase.cancel", purchase_id)
    assert (entry["actor"], entry["detail"]) == (OPERATOR, "The customer rang.")


async def test_what_was_refused_is_not_in_the_audit_log(desk: Desk) -> None:
    purchase_id = await desk.buy()
    with pytest.raises(Changed):
        await desk.act(purchase_id, Action.CANCEL, seen=9)
    await desk.empty_shelf()
    desk.seqr.pay("R1")
    await desk.tick(2)
    assert await desk.rows(audit) == []
    await desk.act(purchase_id, Action.RETRY)
    await desk.act(purchase_id, Action.CHECK)
    assert [row["action"] for row in await desk.rows(audit, audit.c.id)] == [
        "purchase.retry",
        "purchase.check",
    ]


async def test_the_second_is_told_what_the_first_did(desk: Desk) -> None:
    purchase_id = await _failed(desk)
    seen = await _seen(desk)
    await desk.act(purchase_id, Action.RETRY, seen=seen)
    with pytest.raises(Changed) as refusal:
        await desk.act(purchase_id, Action.RETRY, actor=BERIT, seen=seen)
    told = refusal.value
    assert [(change.trigger, change.actor) for change in told.changes] == [
        ("retry", OPERATOR),
        ("invoice", OPERATOR),
    ]
    assert (told.seen, told.revision, told.retryable, told.code) == (seen, seen + 2, False, "changed")
    assert "Started over: the goods are held again (operator:eva)" in told.message
    assert "Nothing was done" in told.message
    assert len(desk.seqr.sent) == 2
    assert BERIT not in await desk.actors(purchase_id)


async def test_what_has_changed_is_told_before_what_is_not_allowed(desk: Desk) -> None:
    purchase_id = await desk.buy()
    seen = await _seen(desk)
    desk.seqr.pay("R1")
    await desk.tick(2)
    with pytest.raises(Changed, match="The goods were taken from the stock"):
        await desk.act(purchase_id, Action.CANCEL, seen=seen)
    assert desk.seqr.called("cancelInvoice") == []


@pytest.mark.parametrize("action", [Action.RETRY, Action.CANCEL])
async def test_of_two_at_once_one_is_refused(desk: Desk, action: Action) -> None:
    purchase_id = await (_failed if action is Action.RETRY else _received)(desk)
    seen = await _seen(desk)
    results = await asyncio.gather(
        *[desk.act(purchase_id, action, actor=f"operator:{name}", seen=seen) for name in ("eva", "berit")],
        return_exceptions=True,
    )
    assert [type(result) for result in results if result is not None] == [Changed], results
    acted = [actor for actor in await desk.actors(purchase_id) if actor.startswith("operator:")]
    assert len(set(acted)) == 1


async def test_a_change_between_the_look_and_the_lock_is_seen_under_the_lock(desk: Desk) -> None:
    """Every first thing that an action writes compares by itself."""
    purchase_id = await desk.buy()
    stale = Intent(seen=await _seen(desk) - 1)
    stamp, settings = Stamp(BERIT, desk.clock()), desk.parts.settings
    before = await desk.only()
    write = desk.database.write
    with pytest.raises(Changed):
        await write(operation.ask, purchase_id, stamp, stale)
    with pytest.raises(Changed):
        await write(operation.start_over, purchase_id, settings, stamp, stale)
    with pytest.raises(Changed):
        await write(operation.cancel_received, purchase_id, stamp, stale)
    with pytest.raises(Changed):
        await write(operation.ask_cancel, purchase_id, stamp, stale)
    with pytest.raises(Changed):
        await write(issuing.begin_next, purchase_id, settings, stamp, stale)
    with pytest.raises(Changed):
        await write(delivery.take_stock, purchase_id, stamp, stale)
    assert await desk.only() == before


@pytest.mark.parametrize("action", [Action.CHECK, Action.RETRY])
async def test_asking_seqr_compares_too(desk: Desk, action: Action) -> None:
    purchase_id = await desk.buy()
    seen = await _seen(desk)
    await desk.act(purchase_id, action, seen=seen)
    assert desk.seqr.called("getPaymentStatus") == ["R1"]
    with pytest.raises(Changed):
        await desk.act(purchase_id, action, seen=seen - 1)
    assert desk.seqr.called("getPaymentStatus") == ["R1"]


async def test_a_purchase_read_anew_has_nothing_to_tell(desk: Desk) -> None:
    purchase_id = await desk.buy()
    with pytest.raises(Changed, match="looked at") as refusal:
        await desk.act(purchase_id, Action.CANCEL, seen=await _seen(desk) + 1)
    assert refusal.value.changes == ()


async def test_all_that_has_changed_is_told_in_one_sentence(desk: Desk) -> None:
    purchase_id = await _failed(desk)
    seen = await _seen(desk)
    await desk.act(purchase_id, Action.RETRY, seen=seen)
    with pytest.raises(Changed) as refusal:
        await desk.act(purchase_id, Action.RETRY, actor=BERIT, seen=seen)
    assert refusal.value.message == (
        f"Purchase {purchase_id} has changed since it was looked at: "
        "Started over: the goods are held again (operator:eva); SEQR's invoice R2 (operator:eva). "
        "Nothing was done: look at it again."
    )
    with pytest.raises(Changed) as refusal:
        await desk.act(purchase_id, Action.RETRY, seen=seen + 9)
    assert "looked at: it was read anew. Nothing" in refusal.value.message
