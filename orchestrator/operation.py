"""What an operator's retry and cancel write."""

from __future__ import annotations

from sqlalchemy import Connection

from orchestrator import attempt as attempts
from orchestrator import erasure, goods, issuing, journal, stock
from orchestrator.attempt import Attempt
from orchestrator.intent import Intent
from orchestrator.purchase import Purchase, find_open
from orchestrator.seqr.messages import InvoiceStatus
from orchestrator.settings import Settings
from orchestrator.stamp import Stamp
from statemachine import Action, NotAllowed, Reason, State, Trigger


def ask(connection: Connection, purchase_id: str, stamp: Stamp, intent: Intent) -> None:
    """Somebody wants SEQR asked about a purchase that they have looked at.

    Raises:
        Changed: it is another now.
    """
    intent.lock(connection, purchase_id, stamp)


def start_over(
    connection: Connection, purchase_id: str, settings: Settings, stamp: Stamp, intent: Intent
) -> str:
    """Take a failed purchase back to received, with a new hold; returns the attempt to send now.

    Raises:
        NotAllowed: the stock lacks something, the customer was erased, or has a newer unpaid purchase of the
            same order.
        Changed: it is not what was looked at any more.
        LostRace: it has changed since it was read, or the customer has just ordered the same again.
    """
    purchase = intent.lock(connection, purchase_id, stamp)
    if purchase.customer_erased_at:
        raise NotAllowed(Action.RETRY.value, purchase.state, erasure.WHY_NO_RETRY)
    twin = find_open(connection, purchase.request_key)
    if twin is not None and twin.id != purchase_id:
        why = f"The customer has an unpaid purchase of the same order already: {twin.id}."
        raise NotAllowed(Action.RETRY.value, purchase.state, why)
    round_ = purchase.holds + 1
    number = len(attempts.of_purchase(connection, purchase_id)) + 1
    wanted = goods.of_purchase(connection, purchase_id)
    missing = stock.hold(connection, purchase_id, round_, wanted, stamp)
    after = journal.move(
        connection,
        purchase,
        Trigger.RETRY,
        stamp,
        intent.because("Started over: the goods are held again."),
        missing=missing,
        holds_stock=True,
        holds=round_,
        received_at=stamp.at,
        checks_failed=0,
        invoice_reference=None,
        invoice_qr_code=None,
    )
    return issuing.begin(connection, after, number, settings, stamp.at)[0]


def cancel_received(connection: Connection, purchase_id: str, stamp: Stamp, intent: Intent) -> Purchase:
    """Fail a purchase that SEQR has no invoice of. One that is on its way is cancelled when it arrives.

    Raises:
        NotAllowed: it is not received any more.
        Changed: it is not what was looked at any more.
        LostRace: it has changed since it was read.
    """
    return attempts.fail(
        connection,
        intent.lock(connection, purchase_id, stamp),
        Trigger.CANCEL,
        Reason.CANCELLED_BY_MERCHANT,
        stamp,
        intent.because("Cancelled before there was an invoice."),
    )


def ask_cancel(
    connection: Connection, purchase_id: str, stamp: Stamp, intent: Intent
) -> tuple[Purchase, Attempt]:
    """Write down that the merchant wants the invoice cancelled; returns what to cancel at SEQR.

    It is an open one, or one that was paid with a wrong sum. Should the process die now, the next check goes
    on with it.

    Raises:
        NotAllowed: the purchase has no open invoice any more.
        Changed: it is not what was looked at any more.
        LostRace: it has changed since it was read.
    """
    purchase = intent.lock(connection, purchase_id, stamp)
    current = [
        attempt
        for attempt in attempts.of_purchase(connection, purchase_id)
        if attempt.reference == purchase.invoice_reference
        and (attempt.state == "open" or attempt.status == InvoiceStatus.PAID)
    ]
    if purchase.state != State.INVOICED.value or not current:
        why = f"The purchase is {purchase.state} and has no open invoice. Look at it again."
        raise NotAllowed(Action.CANCEL.value, purchase.state, why)
    want_cancelled(connection, current[0].id, Reason.CANCELLED_BY_MERCHANT)
    if current[0].state != "open":  # it is asked about again until SEQR has answered
        attempts.change(connection, current[0], state="open")
        purchase = journal.touch(connection, purchase, next_check_at=stamp.at)
    after = journal.note(
        connection,
        purchase,
        "cancel_asked",
        stamp,
        intent.because("The shop asks SEQR to cancel the invoice."),
    )
    return after, current[0]


def want_cancelled(connection: Connection, attempt_id: str, reason: Reason) -> None:
    """Write down why SEQR is asked to close an invoice."""
    attempt = attempts.load_attempt(connection, attempt_id)
    attempts.change(connection, attempt, cancel_reason=reason.value)
