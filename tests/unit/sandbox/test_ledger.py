"""SEQR's books: references, versions, and the 20 second rule, on a clock of our own."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from sandbox.booking import BookedInvoice, Cause, Status
from sandbox.errors import Refusal, ResultCode, describe
from sandbox.invoice import Amount, Invoice, InvoiceRow
from sandbox.ledger import Ledger
from sandbox.terminals import PUBLIC_TEST_RESELLER, Principal, Terminals

TOTAL = Amount(Decimal("1234567.50"), "SEK")
MUGS = Invoice("Mugs", "mine-1", (InvoiceRow("Mug", Decimal(1), TOTAL),), TOTAL)
SHOP = Principal("shop", "12345678")
TILL = Principal("till", "12345678", registered=True)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(clock: Clock) -> Ledger:
    return Ledger(clock=clock)


@pytest.fixture
def booked(ledger: Ledger) -> BookedInvoice:
    return ledger.issue(SHOP, MUGS)


def refusal(code: ResultCode) -> pytest.RaisesExc[Refusal]:
    return pytest.RaisesExc(Refusal, match=f"^{code.name}: ")


def test_references_are_long_numbers_and_never_the_same(ledger: Ledger) -> None:
    references = {ledger.issue(SHOP, MUGS).reference for _ in range(1500)}

    assert len(references) == 1500
    assert all(reference.isdigit() and len(reference) >= 17 for reference in references)


def test_a_web_shop_holds_many_invoices_and_a_cash_register_one(ledger: Ledger) -> None:
    many = [ledger.issue(SHOP, MUGS) for _ in range(3)]
    first, second = ledger.issue(TILL, MUGS), ledger.issue(TILL, MUGS)

    assert all(invoice.open for invoice in many)
    assert (first.status, first.cause) == (Status.CANCELED, Cause.NEXT_INVOICE)
    assert second.open
    assert ledger.invoices[0] is second


def test_a_cash_register_waits_for_a_payment_in_progress(ledger: Ledger) -> None:
    first = ledger.issue(TILL, MUGS)
    ledger.begin_payment(first.reference)

    with refusal(ResultCode.PAYMENT_IN_PROGRESS):
        ledger.issue(TILL, MUGS)


def test_every_change_raises_the_version(ledger: Ledger, booked: BookedInvoice) -> None:
    versions = [booked.version]
    ledger.update(SHOP, booked.reference, MUGS)
    versions.append(booked.version)
    ledger.begin_payment(booked.reference)
    versions.append(booked.version)
    ledger.pay(booked.reference)
    versions.append(booked.version)

    assert versions == [1, 2, 2, 3]


def test_a_version_from_the_future_is_not_acknowledged(ledger: Ledger, booked: BookedInvoice) -> None:
    ledger.ask(SHOP, booked.reference, 99)

    assert booked.acknowledged_version == 1


@pytest.mark.parametrize(
    ("asked_after", "committed"), [(0.0, True), (19.9, True), (20.0, False), (500.0, False)]
)
def test_twenty_seconds(
    ledger: Ledger, clock: Clock, booked: BookedInvoice, asked_after: float, committed: bool
) -> None:
    ledger.pay(booked.reference, "46700000000")
    clock.now += asked_after

    ledger.ask(SHOP, booked.reference, 1)
    clock.now += 1000
    ledger.reverse_overdue()

    assert booked.seconds_to_first_ask == pytest.approx(asked_after)
    assert (booked.committed, booked.reversed) == (committed, not committed)
    assert booked.status is (Status.PAID if committed else Status.CANCELED)
    assert len(ledger.messages) == (0 if committed else 1)


def test_the_reversal_stands_at_the_moment_it_was_due(
    ledger: Ledger, clock: Clock, booked: BookedInvoice
) -> None:
    ledger.pay(booked.reference)
    clock.now += 60

    assert ledger.invoice(booked.reference).reversed_at == 1020
    assert booked.cause is Cause.REVERSAL
    assert booked.seconds_to_first_ask is None
    assert "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567,50\N{NO-BREAK SPACE}kr" in ledger.messages[0].text


def test_one_shops_commit_does_not_hide_anothers_reversal(ledger: Ledger, clock: Clock) -> None:
    kept, forgotten = ledger.issue(SHOP, MUGS), ledger.issue(SHOP, MUGS)
    ledger.pay(forgotten.reference)
    ledger.pay(kept.reference)
    ledger.ask(SHOP, kept.reference, 1)
    clock.now += 20

    ledger.reverse_overdue()

    assert (kept.status, forgotten.status) == (Status.PAID, Status.CANCELED)


def test_asking_before_the_payment_is_no_commit(ledger: Ledger, booked: BookedInvoice) -> None:
    ledger.ask(SHOP, booked.reference, 0)
    ledger.pay(booked.reference)

    assert booked.awaiting_commit
    assert (booked.asks, booked.asks_after_payment, booked.seconds_to_first_ask) == (1, 0, None)


def test_listeners_hear_of_payments_and_of_customers_cancels_only(ledger: Ledger) -> None:
    heard: list[tuple[str, BookedInvoice]] = []
    ledger.on_paid.append(lambda paid: heard.append(("paid", paid)))
    ledger.on_customer_cancel.append(lambda cancelled: heard.append(("cancelled", cancelled)))
    first, second, third, fourth = [ledger.issue(SHOP, MUGS) for _ in range(4)]

    ledger.pay(first.reference)
    ledger.cancel(second.reference)
    ledger.cancel_for_shop(SHOP, third.reference)
    ledger.fail(fourth.reference)

    assert heard == [("paid", first), ("cancelled", second)]


def test_what_is_closed_stays_closed(ledger: Ledger) -> None:
    paid, cancelled, failed = [ledger.issue(SHOP, MUGS).reference for _ in range(3)]
    ledger.pay(paid)
    ledger.cancel(cancelled)
    ledger.fail(failed)

    with refusal(ResultCode.CANNOT_CANCEL_PAID_INVOICE):
        ledger.pay(paid)
    with refusal(ResultCode.CANNOT_CANCEL_PAID_INVOICE):
        ledger.cancel(paid)
    with refusal(ResultCode.INVOICE_ALREADY_CANCELED):
        ledger.pay(cancelled)
    with refusal(ResultCode.INVOICE_ALREADY_CANCELED):
        ledger.update(SHOP, cancelled, MUGS)
    with refusal(ResultCode.INVALID_INVOICE_DATA):
        ledger.update(SHOP, paid, MUGS)
    with refusal(ResultCode.INVALID_INVOICE_DATA):
        ledger.update(SHOP, failed, MUGS)


def test_an_unacknowledged_amount_cannot_be_paid_until_it_is(ledger: Ledger) -> None:
    booked = ledger.issue(SHOP, Invoice("Mugs", None, MUGS.rows, TOTAL, acknowledged=False))
    with refusal(ResultCode.PAYMENT_IN_PROGRESS):
        ledger.pay(booked.reference)

    ledger.update(SHOP, booked.reference, MUGS)

    assert ledger.pay(booked.reference).status is Status.PAID


def test_refusals_say_whether_to_try_again() -> None:
    assert Refusal(ResultCode.PAYMENT_IN_PROGRESS, "x").retryable
    assert not Refusal(ResultCode.CANNOT_CANCEL_PAID_INVOICE, "x").retryable
    assert describe(94) == "SERVICE_UNAVAILABLE"
    assert describe(12345) == "UNKNOWN"


def test_passwords_are_not_shown() -> None:
    assert "12345678" not in repr(SHOP)


def test_resellers_sign_in_with_their_user_id() -> None:
    terminals = Terminals()

    assert terminals.authenticate("public_test_shop", "RESELLERUSER", "9900", "1234") is PUBLIC_TEST_RESELLER
    with refusal(ResultCode.INITIATOR_PRINCIPAL_NOT_FOUND):
        terminals.authenticate("public_test_shop", "RESELLERUSER", "1", "1234")
    with refusal(ResultCode.INITIATOR_PRINCIPAL_NOT_FOUND):
        terminals.authenticate("public_test_shop", "TERMINALID", "9900", "1234")
