"""getPaymentStatus and all that can befall it: what SEQR holds is found, and nothing else counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.seqr.codes import RESULT_CODE_NAMES
from orchestrator.seqr.messages import TRANSIENT_CODES
from tests.fixtures.faulty_seqr import Fault, told
from tests.fixtures.wire_faults import LOST, UNHURT, said
from tests.fixtures.wired import Wired

CALL = "getPaymentStatus"
UNHEARD_OF = [1, 100, -1, 2**31 - 1]
CODES = [code for code in (*RESULT_CODE_NAMES, *UNHEARD_OF) if code]
OPEN = ("invoiced", None, None)
RIGHT = ("stocked", None, None)
CANCELLED = ("failed", "cancelled_by_customer", None)


def words(fault: Fault) -> str:
    return fault.words


async def one_pays_one_cancels(wired: Wired) -> tuple[str, str]:
    """Anna pays and Bengt cancels, and SEQR holds it so; returns both references."""
    anna, bengt = await wired.place_two()
    anna.turn("PAID")
    bengt.turn("CANCELED")
    return anna.reference, bengt.reference


async def is_found(wired: Wired) -> None:
    """It came to what SEQR holds: one mug sold, one mail."""
    assert await wired.standing() == [RIGHT, CANCELLED]
    assert sorted(await wired.movements()) == ["hold", "hold", "release", "take"]
    assert await wired.mails() == ["order_confirmation"]
    assert wired.seqr.visitors == 0
    assert wired.seqr.called("sendInvoice") == 2


@pytest.mark.parametrize("fault", UNHURT, ids=words)
async def test_an_odd_answer_is_an_answer(wired: Wired, fault: Fault) -> None:
    await one_pays_one_cancels(wired)
    wired.suffer(CALL, fault)
    await wired.tick(2)
    assert wired.seqr.called(CALL) == 2
    await is_found(wired)


@pytest.mark.parametrize("fault", LOST, ids=words)
async def test_without_an_answer_it_is_asked_again_within_two_seconds(wired: Wired, fault: Fault) -> None:
    await one_pays_one_cancels(wired)
    wired.suffer(CALL, fault)
    await wired.tick(2)
    assert await wired.standing() == [OPEN, OPEN]
    assert [row["verdict"] for row in await wired.kept(CALL)] == ["unknown", "unknown"]
    assert max(await wired.next_looks()) <= timedelta(seconds=2)
    assert await wired.held() == 2
    wired.mend()
    await wired.tick(2)
    assert wired.seqr.called(CALL) == 4
    await is_found(wired)


async def test_without_a_connection_it_is_asked_again_within_two_seconds(wired: Wired) -> None:
    await one_pays_one_cancels(wired)
    await wired.shut()
    await wired.tick(2)
    assert await wired.standing() == [OPEN, OPEN]
    assert max(await wired.next_looks()) <= timedelta(seconds=2)
    await wired.open()
    await wired.tick(2)
    await is_found(wired)


@pytest.mark.parametrize("code", sorted(CODES))
async def test_a_code_is_no_word_about_the_payment(wired: Wired, code: int) -> None:
    references = await one_pays_one_cancels(wired)
    wired.suffer(CALL, said(CALL, f"<resultCode>{code}</resultCode><version>0</version>"))
    await wired.tick(2)
    name = RESULT_CODE_NAMES.get(code, "no description")
    marks = [f"SEQR refuses to tell about invoice {it}: {code} {name}." for it in references]
    if code in TRANSIENT_CODES:
        assert await wired.standing() == [OPEN, OPEN]
    else:
        assert await wired.standing() == [("invoiced", None, mark) for mark in marks]
        assert await wired.last_words() == marks
    assert max(await wired.next_looks()) <= timedelta(seconds=2)
    assert wired.seqr.called("cancelInvoice") == 0
    wired.mend()
    await wired.tick(2)
    await is_found(wired)


UNKNOWN = "SEQR says {} of invoice {}, a status we do not know. We keep asking."


@pytest.mark.parametrize(
    ("status", "state", "reason", "mark"),
    [
        ("ISSUED", "invoiced", None, None),
        ("PENDING_ISSUER_ACKNOWLEDGE", "invoiced", None, None),
        ("RESERVED", "invoiced", None, None),
        ("PARTIALLY_PAID", "invoiced", None, None),
        ("SHIPPED", "invoiced", None, UNKNOWN),
        ("paid", "invoiced", None, UNKNOWN),
        ("PAID?", "invoiced", None, UNKNOWN),
        ("X" * 64, "invoiced", None, UNKNOWN),
        ("CANCELED", "failed", "cancelled_by_customer", None),
        ("FAILED", "failed", "payment_failed", None),
        ("REVERSED", "failed", "reversed", None),
        ("REVERSAL_PENDING", "failed", "reversed", None),
    ],
)
async def test_a_status_that_is_not_so_is_outlived(
    wired: Wired, status: str, state: str, reason: str | None, mark: str | None
) -> None:
    booked = await wired.place()
    wired.suffer(CALL, said(CALL, f"<resultCode>0</resultCode>{told(booked, status=status)}"))
    await wired.tick(2)
    assert await wired.standing() == [(state, reason, mark and mark.format(status, booked.reference))]
    assert await wired.mails() == []

    wired.mend()
    booked.turn("PAID")
    await (wired.tick(3) if state == "invoiced" else wired.notified())
    assert await wired.standing() == [RIGHT]
    assert await wired.movements() in (["hold", "take"], ["hold", "release", "take"])
    assert await wired.mails() == ["order_confirmation"]


@pytest.mark.parametrize("inner", ["", "<status/>", f"<status>{'X' * 65}</status>"])
async def test_success_without_a_usable_status_is_no_answer(wired: Wired, inner: str) -> None:
    await one_pays_one_cancels(wired)
    wired.suffer(CALL, said(CALL, f"<resultCode>0</resultCode>{inner}<version>1</version>"))
    await wired.tick(2)
    assert await wired.standing() == [OPEN, OPEN]
    wired.mend()
    await wired.tick(2)
    await is_found(wired)


def amount(currency: str, value: str) -> str:
    return f"<currency>{currency}</currency><value>{value}</value>"


@pytest.mark.parametrize(
    ("paid", "took"),
    [
        (amount("SEK", "1.00"), "1.00 SEK"),
        (amount("SEK", "148.99"), "148.99 SEK"),
        (amount("SEK", "149.01"), "149.01 SEK"),
        (amount("SEK", "14900"), "14900.00 SEK"),
        (amount("SEK", "0"), "0.00 SEK"),
        (amount("SEK", "-149"), "-149.00 SEK"),
        (amount("EUR", "149.00"), "149.00 EUR"),
        (amount("JPY", "149"), "149 JPY"),
        (amount("", "149"), "149"),
        (amount("GOLD", "149"), "149 GOLD"),
        (amount("SEK", "149.001"), "149.001 SEK"),
        (amount("SEK", "1E+400"), "1E+400 SEK"),
        (amount("SEK", "NaN"), "NaN SEK"),
        (amount("SEK", "much"), "much SEK"),
        (amount("SEK", "149.00") + amount("SEK", "149.00"), "more than one sum"),
    ],
)
async def test_another_sum_is_never_paid_silently(wired: Wired, paid: str, took: str) -> None:
    booked = await wired.place()
    booked.turn("PAID")
    wired.suffer(CALL, said(CALL, f"<resultCode>0</resultCode>{told(booked, paid=paid)}"))
    await wired.tick(2)
    mark = f"SEQR took {took} for invoice {booked.reference}, which asked for 149.00 SEK."
    assert await wired.standing() == [("invoiced", None, mark)]
    assert await wired.last_words() == [mark]
    assert await wired.held() == 1
    assert await wired.mails() == []

    wired.mend()
    await wired.tick(60)
    assert await wired.standing() == [("invoiced", None, mark)], "it stays marked until somebody looks"
    await wired.notified()
    assert await wired.standing() == [RIGHT]


@pytest.mark.parametrize(
    "paid",
    [
        "",
        amount("SEK", ""),
        amount("", ""),
        amount("sek", " 149.0000 "),
    ],
)
async def test_a_receipt_without_a_sum_does_not_hide_the_payment(wired: Wired, paid: str) -> None:
    booked = await wired.place()
    booked.turn("PAID")
    wired.suffer(CALL, said(CALL, f"<resultCode>0</resultCode>{told(booked, paid=paid)}"))
    await wired.tick(2)
    assert await wired.standing() == [RIGHT]


async def test_the_right_answer_for_another_invoice_moves_neither(wired: Wired) -> None:
    anna, bengt = await wired.place_two()
    bengt.turn("PAID")
    bengts = told(bengt)
    wired.suffer(CALL, said(CALL, f"<resultCode>0</resultCode>{bengts}"))
    await wired.tick(2)
    mark = f"SEQR answered for invoice {bengt.reference} when asked for {anna.reference}."
    assert await wired.standing() == [("invoiced", None, mark), RIGHT]
    assert max(await wired.next_looks()) <= timedelta(seconds=2)
    wired.mend()
    await wired.tick(2)
    assert await wired.standing() == [OPEN, RIGHT]
    anna.turn("PAID")
    await wired.tick(3)
    assert await wired.standing() == [RIGHT, RIGHT]
    assert sorted(await wired.movements()) == ["hold", "hold", "take", "take"]


@pytest.mark.parametrize("ers", ["", " ", "E" * 64, "E" * 65, "E" * 128, "E" * 9000])
async def test_an_odd_ers_reference_does_not_hide_the_payment(wired: Wired, ers: str) -> None:
    await paid_with(wired, ers)
    assert (await wired.only())["ers_reference"] == (ers if ers == "E" * 64 else None)


async def paid_with(wired: Wired, ers: str) -> None:
    """It is paid, with this reference of the payment."""
    booked = await wired.place()
    booked.turn("PAID")
    inner = told(booked).replace(f"E{booked.reference}", ers)
    wired.suffer(CALL, said(CALL, f"<resultCode>0</resultCode>{inner}"))
    await wired.tick(2)
    assert await wired.standing() == [RIGHT]


@pytest.mark.parametrize("length", [64, 65])
async def test_each_database_can_write_down_what_is_paid(wired_to_both: Wired, length: int) -> None:
    await paid_with(wired_to_both, "E" * length)


async def test_each_database_can_write_down_the_longest_status(wired_to_both: Wired) -> None:
    booked = await wired_to_both.place()
    wired_to_both.suffer(CALL, said(CALL, f"<resultCode>0</resultCode>{told(booked, status='X' * 64)}"))
    await wired_to_both.tick(2)
    assert (await wired_to_both.attempts())[0]["status"] == "X" * 64
