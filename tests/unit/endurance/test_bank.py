"""SEQR as endurance plays it: a stub that forgave a late question would prove nothing."""

from __future__ import annotations

import pytest

from bench.stub import NAMESPACE
from endurance.bank import REVERSED_AFTER, Bank

INVOICE = (
    "<invoice><clientInvoiceId>order-1</clientInvoiceId>"
    "<invoiceRows><invoiceRow><itemTotalAmount><currency>SEK</currency><value>1.00</value></itemTotalAmount>"
    "</invoiceRow></invoiceRows>"
    "<totalAmount><currency>SEK</currency><value>149.00</value></totalAmount>"
    "<notificationUrl>http://shop.example/n/1?a=1&amp;b=2</notificationUrl></invoice>"
)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bank(clock: Clock) -> Bank:
    """With one invoice, ``reference``."""
    bank = Bank(clock)
    assert "<invoiceReference>00000000000000001</invoiceReference>" in send(bank)
    return bank


reference = "0" * 16 + "1"


def send(bank: Bank) -> str:
    return bank.answer(
        b"/soap", f'<n:sendInvoice xmlns:n="{NAMESPACE}">{INVOICE}</n:sendInvoice>'.encode()
    ).decode()


def ask(bank: Bank) -> str:
    body = f"<n:getPaymentStatus><invoiceReference>{reference}</invoiceReference></n:getPaymentStatus>"
    return bank.answer(b"/soap", body.encode()).decode()


def test_an_invoice_is_kept_as_it_was_sent(bank: Bank) -> None:
    kept = bank.invoices[reference]

    assert (kept.order, kept.address) == ("order-1", "http://shop.example/n/1?a=1&b=2")
    assert kept.total == "<currency>SEK</currency><value>149.00</value>"


def test_a_question_in_time_commits_the_payment_with_its_receipt(bank: Bank, clock: Clock) -> None:
    assert "<status>ISSUED</status><version>0</version>" in ask(bank)
    bank.pay(reference)
    assert bank.waiting() == 1
    clock.at += REVERSED_AFTER

    answer = ask(bank)

    assert "<status>PAID</status><version>1</version>" in answer
    assert "<totalAmount><currency>SEK</currency><value>149.00</value></totalAmount>" in answer
    clock.at += 3600
    assert bank.waiting() == 0
    assert bank.invoices[reference].is_taken
    assert bank.invoices[reference].wait() == REVERSED_AFTER


def test_a_payment_that_nobody_asks_about_in_time_is_reversed_for_good(bank: Bank, clock: Clock) -> None:
    bank.pay(reference)
    paid_at, clock.at = clock.at, clock.at + REVERSED_AFTER + 0.01

    assert "<status>CANCELED</status><version>2</version>" in ask(bank)
    assert "CANCELED" in ask(bank)

    kept = bank.invoices[reference]
    assert kept.reversed_at == paid_at + REVERSED_AFTER
    assert not kept.is_taken
    assert kept.wait() is None


def test_a_payment_is_reversed_though_nobody_ever_asks(bank: Bank, clock: Clock) -> None:
    bank.pay(reference)
    clock.at += REVERSED_AFTER + 0.01

    assert bank.waiting() == 0
    assert bank.invoices[reference].reversed_at is not None


def test_a_notification_waits_for_the_next_question_unless_there_is_nothing_left_to_ask(
    bank: Bank, clock: Clock
) -> None:
    def notify_after(seconds: float) -> None:
        clock.at += seconds
        bank.notified(reference)

    notify_after(1)  # before the payment
    clock.at += 0.5
    ask(bank)
    bank.pay(reference)
    notify_after(1)
    notify_after(1)
    clock.at += 1
    ask(bank)
    notify_after(1)

    assert list(bank.invoices[reference].waits_after_notification()) == [0.5, 2, 1]


def test_a_notification_after_which_nobody_asked_waits_for_ever(bank: Bank) -> None:
    bank.pay(reference)
    bank.notified(reference)

    assert list(bank.invoices[reference].waits_after_notification()) == [float("inf")]
