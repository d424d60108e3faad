"""Outcomes: what SEQR's word about an invoice does to its purchase, in one commit.

Every way in ends here: a notification, a tick of the reconciler, a restart and a merchant's click differ
only in who asked.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from orchestrator import attempt as attempts
from orchestrator import closing, delivery, exchange, goods, journal, stray, watch
from orchestrator.attempt import Attempt, Matter
from orchestrator.closing import CLOSED
from orchestrator.goods import Goods
from orchestrator.purchase import Purchase
from orchestrator.seqr.messages import (
    Answered,
    InvoiceStatus,
    Outcome,
    PaymentStatus,
    Refused,
    ResultCode,
)
from orchestrator.settings import Settings
from orchestrator.stamp import Stamp
from statemachine import Reason, State, Subject, Trigger, why_not

_KNOWN = frozenset({"ISSUED", "PENDING_ISSUER_ACKNOWLEDGE", "RESERVED", "PARTIALLY_PAID"})


def is_news(attempt: Attempt, purchase: Purchase, outcome: Outcome[PaymentStatus]) -> bool:
    """Whether an answer says anything that is not written down already. Most answers do not."""
    return not (
        isinstance(outcome, Answered)
        and outcome.value.status == attempt.status
        and outcome.value.version == attempt.version
        and outcome.value.status in _KNOWN
        and purchase.attention is None
        and purchase.checks_failed == 0
    )


def record_status(
    connection: Connection,
    attempt_id: str,
    outcome: Outcome[PaymentStatus],
    settings: Settings,
    stamp: Stamp,
    known: Matter | None = None,
) -> Purchase:
    """Write down what getPaymentStatus said; returns the purchase after it. ``known`` is what was read of it
    before SEQR was asked; it is not read again.

    Raises:
        LostRace: the purchase has changed since it was read.
    """
    matter = known or attempts.matter_of(connection, attempt_id)
    attempt, purchase = matter.attempt, matter.purchase
    wanted = _wanted(connection, purchase, outcome)
    exchange.keep(connection, outcome.exchange, purchase.id, attempt_id)
    began = outcome.exchange.started_at
    match outcome:
        case Answered(value=answer) if closing.of_another(answer, attempt):
            why = f"SEQR answered for invoice {answer.invoice_reference} when asked for {attempt.reference}."
            return _troubled(connection, purchase, why, settings, began, stamp)
        case Answered(value=answer):
            return _answered(connection, matter, answer, wanted, stamp)
        case Refused(code=code) if closing.is_past(purchase, attempt, code):
            return closing.seek(connection, purchase, attempt, stamp)
        case Refused(code=code, description=description):
            why = f"SEQR refuses to tell about invoice {attempt.reference}: {_words(code, description)}"
            return _troubled(connection, purchase, why, settings, began, stamp)
        case _ if attempt.is_sought(stamp.at):
            return closing.seek(connection, purchase, attempt, stamp)
        case _:  # busy or unknown
            return _wait_longer(connection, purchase, attempt, settings, began, stamp.at)


def record_cancel(
    connection: Connection,
    attempt_id: str,
    outcome: Outcome[None],
    settings: Settings,
    stamp: Stamp,
) -> Purchase:
    """Write down what cancelInvoice said. Only "cancelled" (0) and "cancelled already" (95) close an invoice;
    after anything else getPaymentStatus has the word.

    That SEQR knows no such invoice (54) is its word, too: nobody can pay it. It is sought for a while yet.
    """
    matter = attempts.matter_of(connection, attempt_id)
    attempt, purchase = matter.attempt, matter.purchase
    exchange.keep(connection, outcome.exchange, purchase.id, attempt_id)
    began = outcome.exchange.started_at
    match outcome:
        case Answered() | Refused(code=ResultCode.INVOICE_ALREADY_CANCELED):
            return _closed(connection, purchase, attempt, InvoiceStatus.CANCELED, stamp)
        case Refused(code=ResultCode.INVALID_INVOICE_REFERENCE as code, description=description):
            said = f"SEQR does not know invoice {attempt.reference}: {_words(code, description)}"
            after = _closed(connection, purchase, attempt, attempts.LOST, stamp, said=said)
            return closing.seek(connection, after, attempts.load_attempt(connection, attempt_id), stamp)
        case Refused(code=ResultCode.CANNOT_CANCEL_PAID_INVOICE):
            return journal.touch(connection, purchase, next_check_at=stamp.at)
        case Refused(code=code, description=description):
            why = f"SEQR refuses to cancel invoice {attempt.reference}: {_words(code, description)}"
            return _troubled(connection, purchase, why, settings, began, stamp)
        case _:  # busy or unknown
            due = watch.next_check(purchase, settings, began, stamp.at, 0)
            return journal.touch(connection, purchase, next_check_at=due)


def _wanted(connection: Connection, purchase: Purchase, outcome: Outcome[PaymentStatus]) -> Goods | None:
    """What a payment is going to take from the stock; read before anything is written, all goes together."""
    paid = isinstance(outcome, Answered) and outcome.value.status == InvoiceStatus.PAID
    return goods.of_purchase(connection, purchase.id) if paid else None


def _answered(
    connection: Connection, matter: Matter, answer: PaymentStatus, wanted: Goods | None, stamp: Stamp
) -> Purchase:
    attempt, purchase = matter.attempt, matter.purchase
    paid = answer.status == InvoiceStatus.PAID
    if answer.version < attempt.version and (not paid or attempt.closed_at is not None):
        return purchase  # an older answer that was overtaken; of PAID, by the word that closed the invoice
    attempts.change(connection, attempt, version=answer.version, status=answer.status)
    if paid:
        return _paid(connection, matter, answer, wanted, stamp)
    if closing.may_be_open(attempt, answer) and attempt.status == attempts.LOST:
        purchase = closing.reopen(connection, purchase, attempt, stamp)
    if answer.status in CLOSED or answer.status.startswith("REVERS"):
        return _closed(connection, purchase, attempt, answer.status, stamp, answer.ers_reference)
    if purchase.state != State.INVOICED.value or attempt.reference != purchase.invoice_reference:
        return journal.touch(connection, purchase, checks_failed=0)
    if answer.status in _KNOWN:
        wrong = stray.wrong_sum(connection, purchase)
        return journal.mark(connection, purchase, wrong, stamp, checks_failed=0)
    why = (
        f"SEQR says {answer.status} of invoice {attempt.reference}, a status we do not know. We keep asking."
    )
    return journal.mark(connection, purchase, why, stamp, checks_failed=0)


def _paid(
    connection: Connection, matter: Matter, answer: PaymentStatus, wanted: Goods | None, stamp: Stamp
) -> Purchase:
    """SEQR's answer PAID was the commit of the money (facts, rule 1): it is ours to account for."""
    attempt, purchase = matter.attempt, matter.purchase
    attempts.change(connection, attempt, state="closed", closed_at=stamp.at)
    rest = stamp.at if matter.others_open else None
    if purchase.state in (State.PAID.value, State.STOCKED.value):
        # The same payment is no news; a second invoice that is paid too is a matter for the merchant.
        return stray.mark_paid_too(connection, purchase, stamp)
    mismatch = stray.mismatch(purchase, attempt.reference, answer.paid)
    why = why_not(Subject(purchase.state, mismatch=mismatch), Trigger.PAY)
    if why:
        return _paid_wrong(connection, purchase, attempt, why, rest, stamp)
    after = journal.move(
        connection,
        purchase,
        Trigger.PAY,
        stamp,
        f"SEQR holds {purchase.money} for invoice {attempt.reference}.",
        invoice_reference=attempt.reference,
        ers_reference=answer.ers_reference,
        checks_failed=0,
        next_check_at=rest,
    )
    if purchase.attention:  # it may tell of money on another invoice
        after = stray.mark_paid_too(connection, after, stamp)
    return delivery.deliver(connection, after, stamp, wanted)


def _paid_wrong(
    connection: Connection,
    purchase: Purchase,
    attempt: Attempt,
    why: str,
    rest: datetime | None,
    stamp: Stamp,
) -> Purchase:
    """SEQR took another sum than the invoice's: nothing is delivered for it, and the merchant decides.

    The goods stay put aside until the merchant cancels; then the purchase fails, and the mark stays to
    say that SEQR has money that has to go back.
    """
    current = purchase.state == State.INVOICED.value and attempt.reference == purchase.invoice_reference
    if current and attempt.cancel_reason == Reason.CANCELLED_BY_MERCHANT.value:
        detail = f"Cancelled, though SEQR holds money for invoice {attempt.reference}."
        reason = Reason.CANCELLED_BY_MERCHANT
        purchase = attempts.fail(connection, purchase, Trigger.CLOSE, reason, stamp, detail)
    # One that is received has its own time for the next invoice.
    due = {} if purchase.state == State.RECEIVED.value else {"next_check_at": rest}
    return journal.mark(connection, purchase, why, stamp, **due)


def _closed(
    connection: Connection,
    purchase: Purchase,
    attempt: Attempt,
    status: str,
    stamp: Stamp,
    ers_reference: str | None = None,
    said: str | None = None,
) -> Purchase:
    attempts.change(connection, attempt, state="closed", status=status, closed_at=stamp.at)
    current = attempt.reference == purchase.invoice_reference
    # A closed invoice that bears a payment's reference was paid, and the money went back.
    reversed_ = status.startswith("REVERS") or (ers_reference is not None and status in CLOSED)
    if current and reversed_ and purchase.state in (State.INVOICED.value, State.PAID.value):
        trigger, reason, detail = (
            Trigger.REVERSE,
            Reason.REVERSED,
            f"SEQR reversed the payment of {attempt.reference}.",
        )
    elif current and purchase.state == State.INVOICED.value:
        trigger, reason = Trigger.CLOSE, _reason(attempt, status)
        detail = said or f"SEQR says {status} of invoice {attempt.reference}."
    else:
        return _closed_unused(connection, purchase, stamp)
    wrong = stray.wrong_sum(connection, purchase)
    after = attempts.fail(connection, purchase, trigger, reason, stamp, detail)
    return journal.mark(connection, after, wrong, stamp)


def _closed_unused(connection: Connection, purchase: Purchase, stamp: Stamp) -> Purchase:
    """An invoice was closed that the purchase had no use for. Money that it was marked for may have gone back
    with it."""
    if purchase.state == State.RECEIVED.value:
        return purchase
    rest = {} if attempts.has_open(connection, purchase.id) else {"next_check_at": None}
    if purchase.state != State.FAILED.value:
        return journal.touch(connection, purchase, **rest)
    return journal.mark(connection, purchase, stray.wrong_sum(connection, purchase), stamp, **rest)


def _reason(attempt: Attempt, status: str) -> Reason:
    if status == InvoiceStatus.FAILED:
        return Reason.PAYMENT_FAILED
    return Reason(attempt.cancel_reason) if attempt.cancel_reason else Reason.CANCELLED_BY_CUSTOMER


def _words(code: int, description: str) -> str:
    return f"{code} {description}".rstrip(". ") + "."


def _troubled(
    connection: Connection, purchase: Purchase, why: str, settings: Settings, began: datetime, stamp: Stamp
) -> Purchase:
    """It cannot move until somebody changes something; we go on asking in case somebody does. A mark for
    money that SEQR took stays."""
    return journal.mark(
        connection,
        purchase,
        stray.wrong_sum(connection, purchase) or why,
        stamp=stamp,
        checks_failed=purchase.checks_failed + 1,
        next_check_at=watch.next_check(purchase, settings, began, stamp.at, purchase.checks_failed),
    )


def _wait_longer(
    connection: Connection,
    purchase: Purchase,
    attempt: Attempt,
    settings: Settings,
    began: datetime,
    at: datetime,
) -> Purchase:
    """No answer: ask again in a while, about a closed invoice too. Somebody had a reason to ask about it."""
    if attempt.state == "closed":
        attempts.change(connection, attempt, state="open")
    due = watch.next_check(purchase, settings, began, at, purchase.checks_failed)
    return journal.touch(connection, purchase, checks_failed=purchase.checks_failed + 1, next_check_at=due)
