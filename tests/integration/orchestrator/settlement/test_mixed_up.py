"""SEQR's answer to one order goes to another: one payment is never taken for two."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.sending import SeqrUnavailable
from orchestrator.seqr.messages import IssuedInvoice
from statemachine import Action
from tests.fixtures.desk import BENGT, MUG, Desk
from tests.fixtures.seqr import answered
from tests.fixtures.shop import until


async def test_two_orders_that_get_the_same_answer_at_once_have_one_invoice(desk: Desk) -> None:
    desk.seqr.then("sendInvoice", *[answered(IssuedInvoice("R9", None))] * 2)
    desk.seqr.hold("sendInvoice")
    orders = [asyncio.create_task(desk.settlement.place(order)) for order in (MUG, BENGT)]

    async def both_sent() -> bool:
        return len(desk.seqr.sent) == 2

    await until(both_sent)
    desk.seqr.let_go("sendInvoice")
    first, second = sorted(await asyncio.gather(*orders, return_exceptions=True), key=str)
    assert first == "R9"
    assert isinstance(second, SeqrUnavailable)
    assert sorted(row["state"] for row in await desk.purchases()) == ["invoiced", "received"]
    (lost,) = [row for row in await desk.attempts() if row["state"] == "unknown"]
    (other,) = [row for row in await desk.purchases() if row["state"] == "received"]
    assert other["id"] == lost["purchase_id"]
    assert other["attention"] == f"SEQR answered for invoice R9 when asked for {lost['id']}."


async def test_one_that_was_cancelled_meanwhile_stays_so(desk: Desk) -> None:
    await desk.buy()
    desk.seqr.then("sendInvoice", answered(IssuedInvoice("R1", None)))
    desk.seqr.hold("sendInvoice")
    order = asyncio.create_task(desk.settlement.place(BENGT))

    async def sent() -> bool:
        return len(desk.seqr.sent) == 2

    await until(sent)
    (late,) = [row for row in await desk.purchases() if row["state"] == "received"]
    await desk.act(late["id"], Action.CANCEL)
    desk.seqr.let_go("sendInvoice")
    with pytest.raises(SeqrUnavailable):
        await order
    (late,) = [row for row in await desk.purchases() if row["state"] == "failed"]
    assert (late["reason"], late["attention"]) == ("cancelled_by_merchant", None)
    assert [row["state"] for row in await desk.attempts()].count("open") == 1
