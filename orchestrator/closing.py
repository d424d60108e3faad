"""Closing: when an invoice that nobody should pay any more is cancelled, and what becomes of one that SEQR
does not know. Such a one is sought for a while, slowly: our own credentials may be what is wrong.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from orchestrator import attempt as attempts
from orchestrator import journal
from orchestrator.attempt import Attempt
from orchestrator.purchase import Purchase
from orchestrator.seqr.messages import Answered, InvoiceStatus, Outcome, PaymentStatus, Refused, ResultCode
from orchestrator.settings import Settings
from orchestrator.stamp import Stamp
from statemachine import Reason, State

CLOSED = frozenset({InvoiceStatus.CANCELED, InvoiceStatus.FAILED})


def why_cancel(
    purchase: Purchase,
    attempt: Attempt,
    outcome: Outcome[PaymentStatus],
    settings: Settings,
    at: datetime,
) -> Reason | None:
    """Why an invoice that SEQR holds open, or does not know, should be closed now; None to let it be.

    That is so when its time is over, when closing it was begun, and when the purchase has no use for it. Of
    one that is not known, cancelInvoice has SEQR's word.
    """
    match outcome:
        case Answered(value=answer):
            is_open = may_be_open(attempt, answer)
        case Refused(code=code):
            is_open = code == ResultCode.INVALID_INVOICE_REFERENCE
        case _:
            is_open = False
    if attempt.state != "open" or not is_open:
        return None
    if attempt.cancel_reason is not None:
        return Reason(attempt.cancel_reason)
    if purchase.state != State.INVOICED.value or purchase.invoice_reference != attempt.reference:
        return Reason.CANCELLED_BY_MERCHANT
    open_since = attempt.issued_at or attempt.sent_at
    return Reason.EXPIRED if at >= open_since + timedelta(seconds=settings.invoice_ttl) else None


def may_be_open(attempt: Attempt, answer: PaymentStatus) -> bool:
    """Whether SEQR says that somebody may pay the invoice still."""
    ended = answer.status in CLOSED | {InvoiceStatus.PAID} or answer.status.startswith("REVERS")
    return not ended and not of_another(answer, attempt)


def reopen(connection: Connection, purchase: Purchase, attempt: Attempt, stamp: Stamp) -> Purchase:
    """SEQR knows a lost invoice after all: the next check has it cancelled."""
    attempts.change(connection, attempt, state="open")
    return journal.touch(connection, purchase, next_check_at=stamp.at)


def is_past(purchase: Purchase, attempt: Attempt, code: int) -> bool:
    """Whether an invoice that SEQR refuses to tell about concerns nobody: SEQR has told how it ended, or
    does not know it and the purchase has no use for it."""
    current = purchase.state == State.INVOICED.value and attempt.reference == purchase.invoice_reference
    unknown = code == ResultCode.INVALID_INVOICE_REFERENCE
    return attempt.state == "closed" or (unknown and not current)


def seek(connection: Connection, purchase: Purchase, attempt: Attempt, stamp: Stamp) -> Purchase:
    """A failed purchase's invoice is not known: ask again, slowly."""
    if purchase.state != State.FAILED.value or not attempt.is_sought(stamp.at):
        return purchase
    if attempts.has_open(connection, purchase.id):
        return purchase
    due = stamp.at + attempts.LOST_EVERY
    return journal.touch(connection, purchase, checks_failed=0, next_check_at=due)


def of_another(answer: PaymentStatus, attempt: Attempt) -> bool:
    return answer.invoice_reference is not None and answer.invoice_reference != attempt.reference
