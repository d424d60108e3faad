"""Issuing: an invoice attempt is begun, sent, and what SEQR answered is written down.

sendInvoice has no key of its own (facts, rule 7). If its answer is lost, the invoice may exist at SEQR under
a reference that nobody learnt, so no customer can pay it. It is written down as unknown, and a new attempt is
made only when the lost call can no longer be on its way.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from orchestrator import attempt as attempts
from orchestrator import batch, exchange, in_turn, journal, outbox, stray
from orchestrator.attempt import Attempt, Matter
from orchestrator.identity import new_id
from orchestrator.intent import ANYWAY, Intent
from orchestrator.invoice import Draft
from orchestrator.pricing import read_lines
from orchestrator.purchase import Purchase
from orchestrator.seqr.messages import Answered, Busy, IssuedInvoice, Outcome, Refused
from orchestrator.settings import Settings
from orchestrator.stamp import CUSTOMER, Stamp
from orchestrator.tables import invoice_attempts
from statemachine import Reason, State, Trigger

_LONGEST_WAIT = timedelta(minutes=1)


def patience(settings: Settings) -> timedelta:
    """How long an unanswered sendInvoice may still be on its way: our time limit and a second."""
    return timedelta(seconds=settings.seqr_timeout + 1)


def begin(
    connection: Connection, purchase: Purchase, number: int, settings: Settings, at: datetime
) -> tuple[str, Purchase]:
    """Write down that the purchase's invoice of this number is about to be sent; returns the attempt's id,
    which is the client invoice id, and the purchase after it."""
    attempt_id = new_id()
    row = {
        "id": attempt_id,
        "purchase_id": purchase.id,
        "number": number,
        "state": "sending",
        "version": 0,
        "sent_at": at,
    }
    after = _look_again(connection, purchase, settings, at, patience(settings))
    batch.add(connection, invoice_attempts, row)
    return attempt_id, after


def begin_next(
    connection: Connection, purchase_id: str, settings: Settings, stamp: Stamp, intent: Intent = ANYWAY
) -> str | None:
    """Begin another attempt for a received purchase, unless the last one may still be on its way.

    A purchase that got no invoice within its time fails as ``seqr_unreachable``.

    Raises:
        Changed: it is not what was looked at any more.
    """
    purchase = intent.lock(connection, purchase_id, stamp)
    if purchase.state != State.RECEIVED.value:
        return None
    last = attempts.of_purchase(connection, purchase_id)[-1]  # the first one is made with the purchase
    if last.state in ("sending", "unknown"):
        if abs(stamp.at - last.sent_at) < patience(settings):  # further ahead: the clock was set back
            return None
        attempts.change(connection, last, state="unknown")
    if stamp.at >= purchase.received_at + timedelta(seconds=settings.invoice_ttl):
        detail = f"SEQR took no invoice in {settings.invoice_ttl:g} s."
        attempts.fail(connection, purchase, Trigger.GIVE_UP, Reason.SEQR_UNREACHABLE, stamp, detail)
        return None
    return begin(connection, purchase, last.number + 1, settings, stamp.at)[0]


def draft(connection: Connection, attempt_id: str) -> Draft:
    """The invoice of an attempt that has begun."""
    found = attempts.matter_of(connection, attempt_id)
    lines = read_lines(connection, found.purchase.id, found.purchase.currency)
    return Draft(found.purchase, lines, attempt_id, found.attempt.sent_at)


def record_sent(
    connection: Connection,
    attempt_id: str,
    outcome: Outcome[IssuedInvoice],
    settings: Settings,
    stamp: Stamp,
    known: Purchase | None = None,
) -> Purchase:
    """Write down what became of a sendInvoice; returns the purchase after it.

    ``known`` is the purchase as it was placed with its first attempt, if nobody has touched it since: then
    nothing is read before it is written.

    Raises:
        LostRace: somebody has.
    """
    reference = outcome.value.reference if isinstance(outcome, Answered) else None
    found = (
        attempts.matter_of(connection, attempt_id, reference) if known is None else _placed(known, attempt_id)
    )
    attempt, purchase = found.attempt, found.purchase
    exchange.keep(connection, outcome.exchange, purchase.id, attempt_id)
    if isinstance(outcome, Answered):
        # An answer may go astray, and one payment must not be taken for two.
        if not found.anothers:
            in_turn.nobodys_invoice(connection, outcome.value.reference, purchase.id)
            return _issued(connection, purchase, attempt, outcome.value, settings, stamp)
        purchase = _mixed_up(connection, purchase, attempt, outcome.value.reference, stamp)
    if isinstance(outcome, Refused):
        attempts.change(connection, attempt, state="refused", closed_at=stamp.at)
        return _refused(connection, purchase, outcome, stamp)
    attempts.change(connection, attempt, state="busy" if isinstance(outcome, Busy) else "unknown")
    if purchase.state != State.RECEIVED.value:
        return purchase
    first = timedelta(seconds=1) if isinstance(outcome, Busy) else patience(settings)
    wait = _growing(first, attempt.number)
    return _look_again(connection, purchase, settings, stamp.at, wait)


def _placed(purchase: Purchase, attempt_id: str) -> Matter:
    """The first attempt of a purchase, as ``begin`` has written it."""
    first = Attempt(
        attempt_id, purchase.id, 1, "sending", None, 0, None, None, purchase.created_at, None, None
    )
    return Matter(first, purchase._replace(planned=purchase.next_check_at), others_open=False, anothers=False)


def _mixed_up(
    connection: Connection, purchase: Purchase, attempt: Attempt, reference: str, stamp: Stamp
) -> Purchase:
    """SEQR answered with another purchase's invoice: which one it made for this one, nobody knows."""
    if purchase.state != State.RECEIVED.value:
        return purchase
    why = f"SEQR answered for invoice {reference} when asked for {attempt.id}."
    return journal.mark(connection, purchase, why, stamp)


def _look_again(
    connection: Connection, purchase: Purchase, settings: Settings, at: datetime, wait: timedelta
) -> Purchase:
    """Make it due after ``wait``; sooner if an invoice from before it was started over may still be paid."""
    if purchase.started_over and attempts.has_open(connection, purchase.id):
        wait = min(wait, timedelta(seconds=settings.poll_interval))
    return journal.touch(connection, purchase, next_check_at=at + wait)


def _growing(first: timedelta, number: int) -> timedelta:
    """Each attempt waits twice as long as the one before it, so that an outage makes few lost invoices."""
    doubled: int = 2 ** min(number - 1, 10)
    return min(first * doubled, max(first, _LONGEST_WAIT))


def _issued(
    connection: Connection,
    purchase: Purchase,
    attempt: Attempt,
    issued: IssuedInvoice,
    settings: Settings,
    stamp: Stamp,
) -> Purchase:
    attempts.change(
        connection,
        attempt,
        state="open",
        reference=issued.reference,
        qr_code=issued.qr_code,
        issued_at=stamp.at,
    )
    if purchase.state != State.RECEIVED.value:
        # Nobody waits for this invoice any more; the next check cancels it at SEQR.
        return journal.touch(connection, purchase, next_check_at=stamp.at)
    told_already = purchase.notified_at is not None and purchase.notified_at >= attempt.sent_at
    due = stamp.at if told_already else stamp.at + timedelta(seconds=settings.poll_interval)
    after = journal.move(
        connection,
        purchase,
        Trigger.INVOICE,
        stamp,
        f"SEQR's invoice {issued.reference}.",
        invoice_reference=issued.reference,
        invoice_qr_code=issued.qr_code,
        checks_failed=0,
        next_check_at=due,
    )
    after = journal.mark(connection, after, stray.wrong_sum(connection, purchase), stamp)
    if purchase.started_over or stamp.actor != CUSTOMER:
        # No request was waiting for this invoice: the customer's phone was told that the order failed.
        outbox.enqueue(connection, purchase.id, "payment_link", purchase.customer_email, stamp.at)
    return after


def _refused(connection: Connection, purchase: Purchase, refusal: Refused, stamp: Stamp) -> Purchase:
    if purchase.state != State.RECEIVED.value:
        return purchase
    detail = f"SEQR refused the invoice: {refusal.code} {refusal.description}".strip() + "."
    return attempts.fail(connection, purchase, Trigger.REFUSE, Reason.INVOICE_REFUSED, stamp, detail)
