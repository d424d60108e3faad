"""cancelInvoice and all that can befall it: only SEQR's word makes an order failed, and who paid has paid."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.seqr.codes import RESULT_CODE_NAMES
from orchestrator.seqr.messages import TRANSIENT_CODES
from statemachine import Action
from tests.fixtures.faulty_seqr import Booked, Fault, Work
from tests.fixtures.wire_faults import LOST, UNHURT, said
from tests.fixtures.wired import Wired

CALL = "cancelInvoice"
UNHEARD_OF = [1, 100, -1, 2**31 - 1]
PAID, NOT_KNOWN, CANCELED = 50, 54, 95
CODES = [code for code in (*RESULT_CODE_NAMES, *UNHEARD_OF) if code not in (0, PAID, NOT_KNOWN, CANCELED)]
OPEN = ("invoiced", None, None)
RIGHT = ("stocked", None, None)
CANCELLED = ("failed", "cancelled_by_merchant", None)


def words(fault: Fault) -> str:
    return fault.words


async def is_where_seqr_has_it(wired: Wired, anna: Booked, *, paid: bool) -> None:
    """Anna's order is sold if she paid; Bengt's is cancelled. Neither has a second invoice."""
    await wired.tick(3)
    assert await wired.standing() == [RIGHT if paid else CANCELLED, CANCELLED]
    assert anna.status == ("PAID" if paid else "CANCELED")
    assert await wired.held() == 0
    assert (await wired.movements()).count("take") == paid
    assert await wired.mails() == (["order_confirmation"] if paid else [])
    assert wired.seqr.called("sendInvoice") == 2
    assert wired.seqr.visitors == 0


@pytest.mark.parametrize("fault", UNHURT, ids=words)
async def test_an_odd_answer_is_an_answer(wired: Wired, fault: Fault) -> None:
    anna, _ = await wired.place_two()
    wired.suffer(CALL, fault)
    await wired.act(Action.CANCEL)
    assert await wired.standing() == [CANCELLED, CANCELLED]
    await is_where_seqr_has_it(wired, anna, paid=False)


@pytest.mark.parametrize("fault", LOST, ids=words)
async def test_without_an_answer_it_stays_open_and_is_tried_again(wired: Wired, fault: Fault) -> None:
    anna, _ = await wired.place_two()
    wired.suffer(CALL, fault)
    await wired.act(Action.CANCEL)
    assert await wired.standing() == [OPEN, OPEN]
    assert [row["verdict"] for row in await wired.kept(CALL)] == ["unknown", "unknown"]
    assert max(await wired.next_looks()) <= timedelta(seconds=2)
    assert await wired.held() == 2, "the goods are held as long as somebody can pay"
    wired.mend()
    can_pay = fault.work is Work.NOT_DONE
    if can_pay:
        anna.turn("PAID")
    await is_where_seqr_has_it(wired, anna, paid=can_pay)


async def test_without_a_connection_it_stays_open_and_is_tried_again(wired: Wired) -> None:
    anna, _ = await wired.place_two()
    await wired.shut()
    await wired.act(Action.CANCEL)
    assert await wired.standing() == [OPEN, OPEN]
    await wired.open()
    anna.turn("PAID")
    await is_where_seqr_has_it(wired, anna, paid=True)


@pytest.mark.parametrize("code", sorted(CODES))
async def test_a_code_that_does_not_close_it_leaves_it_open(wired: Wired, code: int) -> None:
    anna, bengt = await wired.place_two()
    wired.suffer(CALL, said(CALL, f"<resultCode>{code}</resultCode>"))
    await wired.act(Action.CANCEL)
    name = RESULT_CODE_NAMES.get(code, "no description")
    marks = [
        f"SEQR refuses to cancel invoice {it}: {code} {name}." for it in (anna.reference, bengt.reference)
    ]
    if code in TRANSIENT_CODES:
        assert await wired.standing() == [OPEN, OPEN]
    else:
        assert await wired.standing() == [("invoiced", None, mark) for mark in marks]
        assert await wired.last_words() == marks
    assert await wired.held() == 2
    wired.mend()
    anna.turn("PAID")
    await is_where_seqr_has_it(wired, anna, paid=True)


async def test_paid_is_looked_into_at_once_and_not_believed_alone(wired: Wired) -> None:
    anna, _ = await wired.place_two()
    wired.suffer(CALL, said(CALL, f"<resultCode>{PAID}</resultCode>"))
    await wired.act(Action.CANCEL)
    assert wired.seqr.called("getPaymentStatus") == 2
    assert await wired.standing() == [OPEN, OPEN]
    wired.mend()
    anna.turn("PAID")
    await is_where_seqr_has_it(wired, anna, paid=True)


async def test_cancelled_already_is_seqrs_word(wired: Wired) -> None:
    anna, bengt = await wired.place_two()
    for booked in (anna, bengt):
        booked.turn("CANCELED")
    wired.suffer(CALL, said(CALL, f"<resultCode>{CANCELED}</resultCode>"))
    await wired.act(Action.CANCEL)
    assert await wired.standing() == [CANCELLED, CANCELLED]
    await is_where_seqr_has_it(wired, anna, paid=False)


async def test_not_known_is_seqrs_word_and_looked_into_for_an_hour(wired: Wired) -> None:
    anna, bengt = await wired.place_two()
    wired.suffer(CALL, said(CALL, f"<resultCode>{NOT_KNOWN}</resultCode>"))
    await wired.act(Action.CANCEL)
    assert await wired.standing() == [CANCELLED, CANCELLED]
    assert max(await wired.next_looks()) <= timedelta(minutes=1)
    assert await wired.held() == 0
    wired.mend()
    anna.turn("PAID")
    await wired.tick(61)
    await is_where_seqr_has_it(wired, anna, paid=True)
    assert bengt.status == "CANCELED", "it was found open, and cancelled in earnest"
