"""What a single unit of work leaves behind, before anything else has come to put it right."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from orchestrator import operation, outcome, watch
from orchestrator.intent import Intent, changes_since
from orchestrator.money import Money
from orchestrator.seqr.messages import Outcome, PaymentStatus
from orchestrator.stamp import Stamp
from orchestrator.tables import audit, purchase_lines
from statemachine import Action, NotAllowed
from tests.fixtures.desk import BENGT, MUG, OPERATOR, Desk, started_over
from tests.fixtures.records import Row
from tests.fixtures.seqr import answered, busy, unknown


async def answer(desk: Desk, reference: str, said: Outcome[PaymentStatus]) -> Row:
    """Write down an answer about an invoice; returns the purchase after it."""
    (attempt,) = [row for row in await desk.attempts() if row["reference"] == reference]
    told = replace(said, exchange=replace(said.exchange, started_at=desk.clock()))
    stamp, settings = Stamp(OPERATOR, desk.clock()), desk.parts.settings
    await desk.database.write(outcome.record_status, attempt["id"], told, settings, stamp)
    return await desk.only()


async def test_one_that_fails_beside_an_open_invoice_is_looked_at_at_once(desk: Desk) -> None:
    await started_over(desk)
    assert [row["state"] for row in await desk.attempts()] == ["open", "open"]
    purchase = await answer(desk, "R2", answered(PaymentStatus("CANCELED", 9)))
    assert (purchase["state"], purchase["next_check_at"]) == ("failed", desk.clock())
    purchase = await answer(desk, "R1", answered(PaymentStatus("CANCELED", 9)))
    assert (purchase["state"], purchase["next_check_at"]) == ("failed", None)


async def test_a_status_that_nobody_knows_concerns_only_the_invoice_that_it_is_of(desk: Desk) -> None:
    await started_over(desk)
    assert [row["state"] for row in await desk.attempts()] == ["open", "open"]
    purchase = await answer(desk, "R1", answered(PaymentStatus("MISLAID", 9)))
    assert (purchase["state"], purchase["attention"]) == ("invoiced", None)
    purchase = await answer(desk, "R2", answered(PaymentStatus("MISLAID", 9)))
    assert purchase["attention"].startswith("SEQR says MISLAID of invoice R2")


async def test_any_answer_ends_the_count_of_failures(desk: Desk) -> None:
    await desk.buy()
    assert (await answer(desk, "R1", unknown()))["checks_failed"] == 1
    assert (await answer(desk, "R1", answered(PaymentStatus("MISLAID", 2))))["checks_failed"] == 0
    assert (await answer(desk, "R1", unknown()))["checks_failed"] == 1
    assert (await answer(desk, "R1", answered(PaymentStatus("ISSUED", 3))))["checks_failed"] == 0


async def test_that_an_invoice_is_open_still_does_not_make_it_due(desk: Desk) -> None:
    await desk.buy()
    planned = (await desk.only())["next_check_at"]
    purchase = await answer(desk, "R1", answered(PaymentStatus("RESERVED", 2)))
    assert purchase["next_check_at"] == planned > desk.clock()


async def test_one_that_was_paid_wrong_waits_for_nothing(desk: Desk) -> None:
    await desk.buy()
    wrong = PaymentStatus("PAID", 2, paid=Money(Decimal(1), "SEK"), ers_reference="E")
    purchase = await answer(desk, "R1", answered(wrong))
    assert (purchase["state"], purchase["next_check_at"]) == ("invoiced", None)


async def test_what_is_to_be_cancelled_though_it_was_paid_is_asked_about_at_once(desk: Desk) -> None:
    await desk.buy()
    wrong = PaymentStatus("PAID", 2, paid=Money(Decimal(1), "SEK"), ers_reference="E")
    purchase = await answer(desk, "R1", answered(wrong))
    desk.clock.turn(1)
    stamp = Stamp(OPERATOR, desk.clock())
    await desk.database.write(operation.ask_cancel, purchase["id"], stamp, Intent())
    (attempt,) = await desk.attempts()
    assert (attempt["state"], attempt["cancel_reason"]) == ("open", "cancelled_by_merchant")
    assert (await desk.only())["next_check_at"] == desk.clock()


async def test_an_open_invoice_that_is_to_be_cancelled_is_asked_about_as_planned(desk: Desk) -> None:
    purchase_id = await desk.buy()
    planned = (await desk.only())["next_check_at"]
    desk.clock.turn(1)
    stamp = Stamp(OPERATOR, desk.clock())
    await desk.database.write(operation.ask_cancel, purchase_id, stamp, Intent())
    assert (await desk.only())["next_check_at"] == planned > desk.clock()


async def test_a_failed_purchase_has_nothing_to_cancel_though_its_invoice_was_paid(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.says("R1", "PAID", paid=Money(Decimal(1), "SEK"), ers_reference="E")
    await desk.tick(2)
    await desk.act(purchase_id, Action.CANCEL)
    assert await desk.state() == ("failed", "cancelled_by_merchant")
    with pytest.raises(NotAllowed, match="The purchase is failed and has no open invoice"):
        await desk.database.write(operation.ask_cancel, purchase_id, Stamp(OPERATOR, desk.clock()), Intent())


async def test_a_cancel_that_seqr_had_no_time_for_is_tried_again_after_one_interval(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.clock.turn(1)
    desk.seqr.then("cancelInvoice", busy())
    await desk.act(purchase_id, Action.CANCEL)
    assert (await desk.only())["next_check_at"] == desk.clock() + timedelta(seconds=2)


async def test_one_that_was_started_over_has_no_invoice_until_it_has_a_new_one(desk: Desk) -> None:
    purchase_id = await desk.buy()
    await desk.act(purchase_id, Action.CANCEL)
    desk.seqr.then("sendInvoice", busy())
    await desk.act(purchase_id, Action.RETRY)
    purchase = await desk.only()
    assert (purchase["state"], purchase["invoice_reference"], purchase["invoice_qr_code"]) == (
        "received",
        None,
        None,
    )
    desk.clock.turn(2)
    await desk.settlement.act(purchase_id, Action.RETRY, OPERATOR)
    rows = await desk.rows(audit, audit.c.id)
    assert [(row["action"], row["detail"]) for row in rows] == [
        ("purchase.cancel", ""),
        ("purchase.retry", ""),
        ("purchase.retry", ""),
    ]


async def test_a_call_about_what_is_stocked_changes_nothing(desk: Desk) -> None:
    purchase_id = await desk.buy()
    desk.seqr.pay("R1")
    await desk.tick(2)
    before = await desk.only()
    assert await desk.database.write(watch.told, purchase_id, "SEQR", desk.clock()) is False
    assert await desk.only() == before


async def test_only_what_has_happened_to_the_purchase_itself_is_told(desk: Desk) -> None:
    first, _ = await desk.buy(BENGT), await desk.buy(MUG)
    changes = await desk.database.read(changes_since, first, 0)
    assert [str(change) for change in changes] == [
        "The customer ordered Mug (createPurchase)",
        "SEQR's invoice R1 (createPurchase)",
    ]


async def test_the_lines_of_an_order_stand_in_their_order(desk: Desk) -> None:
    await desk.settlement.place(replace(MUG, purchase_token="set"))
    rows = await desk.rows(purchase_lines, purchase_lines.c.position)
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["product_token"] for row in rows] == ["mug", "spoon"]
