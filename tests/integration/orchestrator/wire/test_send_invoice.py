"""sendInvoice and all that can befall it: no order is lost, and nobody is shown a second invoice."""

from __future__ import annotations

import pytest

from orchestrator.sending import InvoiceRefused, SeqrUnavailable
from orchestrator.seqr.codes import RESULT_CODE_NAMES
from orchestrator.seqr.messages import TRANSIENT_CODES
from statemachine import Action
from tests.fixtures.faulty_seqr import Fault, Work
from tests.fixtures.wire_faults import LOST, UNHURT, said
from tests.fixtures.wired import Wired

CALL = "sendInvoice"
UNHEARD_OF = [1, 100, -1, 2**31 - 1]
CODES = [code for code in (*RESULT_CODE_NAMES, *UNHEARD_OF) if code]
RIGHT = ("stocked", None, None)


def words(fault: Fault) -> str:
    return fault.words


async def pays(wired: Wired) -> None:
    """The customer pays the invoice that was shown, and we hear of it: one delivery, one confirmation."""
    (await wired.place()).turn("PAID")
    await wired.tick(3)
    assert await wired.standing() == [RIGHT]
    assert await wired.movements() in (["hold", "take"], ["hold", "release", "hold", "take"])
    assert (await wired.mails()).count("order_confirmation") == 1
    assert wired.seqr.visitors == 0


@pytest.mark.parametrize("fault", UNHURT, ids=words)
async def test_an_odd_answer_is_an_answer(wired: Wired, fault: Fault) -> None:
    wired.suffer(CALL, fault)
    await wired.place()
    assert await wired.standing() == [("invoiced", None, None)]
    wired.mend()
    assert wired.seqr.called(CALL) == 1
    assert len((await wired.kept(CALL))[0]["response"]) < 100_000
    await pays(wired)


@pytest.mark.parametrize("fault", LOST, ids=words)
async def test_without_an_answer_the_order_waits_until_the_call_cannot_be_on_its_way_any_more(
    wired: Wired, fault: Fault
) -> None:
    before = len(wired.seqr.books)
    wired.suffer(CALL, fault)
    with pytest.raises(SeqrUnavailable, match="Repeat the request"):
        await wired.place()
    assert await wired.standing() == [("received", None, None)]
    assert await wired.held() == 1
    (kept,) = await wired.kept(CALL)
    assert (kept["verdict"], kept["result_code"]) == ("unknown", None)
    assert kept["detail"].endswith("Nobody can tell whether SEQR did it.")
    wired.mend()

    await wired.tick(5)
    with pytest.raises(SeqrUnavailable):
        await wired.place()
    assert wired.seqr.called(CALL) == 1, "neither time nor the customer's repeat sends it again too early"

    await wired.tick(7)
    assert wired.seqr.called(CALL) == 2
    assert [attempt["state"] for attempt in await wired.attempts()] == ["unknown", "open"]
    assert len(wired.seqr.books) - before == (2 if fault.work is Work.DONE else 1)
    assert wired.seqr.written < 16 * 2**20, "of an endless answer only so much is read"
    assert (await wired.place()).reference == list(wired.seqr.books)[-1], "one is known to anybody"
    await pays(wired)


async def test_without_a_connection_it_is_sent_as_soon_as_there_is_one(wired: Wired) -> None:
    await wired.shut()
    with pytest.raises(SeqrUnavailable):
        await wired.place()
    (kept,) = await wired.kept(CALL)
    assert kept["verdict"] == "busy"
    assert kept["detail"].endswith("Nothing was sent; it can be tried again.")
    await wired.open()
    await wired.tick(2)
    assert wired.seqr.called(CALL) == 1
    await pays(wired)


@pytest.mark.parametrize("code", sorted(set(CODES) & TRANSIENT_CODES))
async def test_a_transient_code_is_tried_again_after_a_second(wired: Wired, code: int) -> None:
    wired.suffer(CALL, said(CALL, f"<resultCode>{code}</resultCode>"))
    with pytest.raises(SeqrUnavailable):
        await wired.place()
    assert await wired.standing() == [("received", None, None)]
    wired.mend()
    await wired.tick(2)
    assert [attempt["state"] for attempt in await wired.attempts()] == ["busy", "open"]
    await pays(wired)


@pytest.mark.parametrize("code", sorted(set(CODES) - TRANSIENT_CODES))
async def test_any_other_code_fails_the_order_until_the_merchant_tries_again(wired: Wired, code: int) -> None:
    wired.suffer(CALL, said(CALL, f"<resultCode>{code}</resultCode>"))
    name = RESULT_CODE_NAMES.get(code, "no description")
    with pytest.raises(InvoiceRefused, match=f"{code} {name}"):
        await wired.place()
    assert await wired.standing() == [("failed", "invoice_refused", None)]
    assert await wired.last_words() == [f"SEQR refused the invoice: {code} {name}."]
    assert await wired.held() == 0
    wired.mend()

    await wired.tick(60)
    assert wired.seqr.called(CALL) == 1, "it is final until somebody changes something"
    await wired.act(Action.RETRY)
    assert await wired.standing() == [("invoiced", None, None)]
    await pays(wired)


@pytest.mark.parametrize("reference", ["", " ", "9" * 65, "9" * 129, "9" * 9000])
async def test_success_without_a_usable_reference_is_no_answer(wired: Wired, reference: str) -> None:
    inner = f"<resultCode>0</resultCode><invoiceReference>{reference}</invoiceReference>"
    wired.suffer(CALL, said(CALL, inner, Work.DONE))
    with pytest.raises(SeqrUnavailable):
        await wired.place()
    assert [attempt["state"] for attempt in await wired.attempts()] == ["unknown"]
    wired.mend()
    await wired.tick(12)
    await pays(wired)


@pytest.mark.parametrize("code", ["", "<invoiceQRCode/>", f"<invoiceQRCode>{'Q' * 9000}</invoiceQRCode>"])
async def test_an_odd_qr_code_keeps_nobody_from_paying(wired: Wired, code: str) -> None:
    reference = wired.seqr.book("", "149.00").reference
    inner = f"<resultCode>0</resultCode><invoiceReference>{reference}</invoiceReference>{code}"
    wired.suffer(CALL, said(CALL, inner))
    assert (await wired.place()).reference == reference
    wired.mend()
    await pays(wired)


async def test_the_longest_words_fit_into_each_database(wired_to_both: Wired) -> None:
    wired = wired_to_both
    reference = "9" * 64
    wired.seqr.book("", "149.00", "SEK", reference)
    inner = f"<invoiceReference>{reference}</invoiceReference><invoiceQRCode>{'Q' * 9000}</invoiceQRCode>"
    wired.suffer(CALL, said(CALL, f"<resultCode>0</resultCode>{inner}"))
    assert (await wired.place()).reference == reference
    await pays(wired)


async def test_a_reference_that_does_not_fit_is_no_answer_in_each_database(wired_to_both: Wired) -> None:
    inner = f"<resultCode>0</resultCode><invoiceReference>{'9' * 65}</invoiceReference>"
    wired_to_both.suffer(CALL, said(CALL, inner, Work.DONE))
    with pytest.raises(SeqrUnavailable):
        await wired_to_both.place()
    assert [attempt["state"] for attempt in await wired_to_both.attempts()] == ["unknown"]


async def test_the_invoice_of_another_purchase_is_no_answer(wired: Wired) -> None:
    """One payment must not be taken for two."""
    anna = await wired.place()
    wired.clock.turn(0.01)
    inner = f"<resultCode>0</resultCode><invoiceReference>{anna.reference}</invoiceReference>"
    wired.suffer(CALL, said(CALL, inner, Work.DONE))
    with pytest.raises(SeqrUnavailable):
        await wired.place(wired.bengt)
    _, his = await wired.attempts()
    mark = f"SEQR answered for invoice {anna.reference} when asked for {his['id']}."
    assert await wired.standing() == [("invoiced", None, None), ("received", None, mark)]
    wired.mend()
    anna.turn("PAID")
    await wired.tick(12)
    assert await wired.standing() == [RIGHT, ("invoiced", None, None)]
    assert (await wired.mails()).count("order_confirmation") == 1
    (await wired.place(wired.bengt)).turn("PAID")
    await wired.tick(3)
    assert await wired.standing() == [RIGHT, RIGHT]
