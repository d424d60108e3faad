"""Invoice attempts: each sendInvoice is a row, written before the call goes out and finished after it.

sendInvoice has no key of its own (facts, rule 7). If its answer is lost, the invoice may exist at SEQR under
a reference that nobody learnt, so no customer can pay it. It is written down as unknown, and a new attempt is
made only when the lost call can no longer be on its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from orchestrator import exchange, journal, outbox, stock, stray
from orchestrator.identity import new_id
from orchestrator.intent import ANYWAY, Intent
from orchestrator.invoice import build
from orchestrator.pricing import read_lines
from orchestrator.purchase import Purchase, load, lock_owner
from orchestrator.seqr.messages import Answered, Busy, Invoice, IssuedInvoice, Outcome, Refused
from orchestrator.settings import Settings
from orchestrator.stamp import CUSTOMER, Stamp
from orchestrator.tables import invoice_attempts
from statemachine import Reason, State, Trigger

LOST = "UNKNOWN"
"""Our own status of an invoice that SEQR says it does not know (54): it cannot be paid there."""
LOST_FOR, LOST_EVERY = timedelta(hours=1), timedelta(minutes=1)
"""How long, and how often, a failed purchase's lost invoice is looked for: wrong credentials of ours bring
54 about too, and may be put right."""

_LONGEST_WAIT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt as it was read."""

    id: str
    purchase_id: str
    number: int
    state: str
    reference: str | None
    version: int
    status: str | None
    cancel_reason: str | None
    sent_at: datetime
    issued_at: datetime | None
    closed_at: datetime | None

    def is_sought(self, at: datetime) -> bool:
        """Whether SEQR did not know the invoice, and is asked about it for a while yet."""
        return self.status == LOST and self.closed_at is not None and at < self.closed_at + LOST_FOR


# Made once, as making one takes longer than running it.
_READ = select(*(invoice_attempts.c[name] for name in Attempt.__slots__))
_READ_ONE = _READ.where(invoice_attempts.c.id == bindparam("attempt_id"))
_READ_ALL = _READ.where(invoice_attempts.c.purchase_id == bindparam("purchase_id")).order_by(
    invoice_attempts.c.number
)


def patience(settings: Settings) -> timedelta:
    """How long an unanswered sendInvoice may still be on its way: our time limit and a second."""
    return timedelta(seconds=settings.seqr_timeout + 1)


def of_purchase(connection: Connection, purchase_id: str) -> list[Attempt]:
    """All attempts of a purchase, oldest first."""
    return [Attempt(*row) for row in connection.execute(_READ_ALL, {"purchase_id": purchase_id})]


def load_attempt(connection: Connection, attempt_id: str) -> Attempt:
    return Attempt(*connection.execute(_READ_ONE, {"attempt_id": attempt_id}).one())


def lock_with_purchase(connection: Connection, attempt_id: str) -> tuple[Attempt, Purchase]:
    """Read an attempt and its purchase in order to change them."""
    purchase = lock_owner(connection, attempt_id)
    return load_attempt(connection, attempt_id), purchase


def begin(connection: Connection, purchase: Purchase, settings: Settings, at: datetime) -> str:
    """Write down that an invoice is about to be sent; returns the attempt's id, the client invoice id.

    Whoever calls this has made the purchase or locked it, so attempts are numbered one after the other.
    """
    attempt_id = new_id()
    latest = select(func.coalesce(func.max(invoice_attempts.c.number), 0)).where(
        invoice_attempts.c.purchase_id == purchase.id
    )
    row = {
        "id": attempt_id,
        "purchase_id": purchase.id,
        "number": latest.scalar_subquery() + 1,
        "state": "sending",
        "version": 0,
        "sent_at": at,
    }
    connection.execute(insert(invoice_attempts).values(row))
    _look_again(connection, purchase, settings, at, patience(settings))
    return attempt_id


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
    last = of_purchase(connection, purchase_id)[-1]  # the first one is made with the purchase
    if last.state in ("sending", "unknown"):
        if abs(stamp.at - last.sent_at) < patience(settings):  # further ahead: the clock was set back
            return None
        change(connection, last.id, state="unknown")
    if stamp.at >= purchase.received_at + timedelta(seconds=settings.invoice_ttl):
        detail = f"SEQR took no invoice in {settings.invoice_ttl:g} s."
        fail(connection, purchase, Trigger.GIVE_UP, Reason.SEQR_UNREACHABLE, stamp, detail)
        return None
    return begin(connection, purchase, settings, stamp.at)


def invoice_of(connection: Connection, attempt_id: str, settings: Settings, secret: str) -> Invoice:
    """The message of an attempt that has begun."""
    attempt = load_attempt(connection, attempt_id)
    purchase = load(connection, attempt.purchase_id)
    lines = read_lines(connection, purchase.id, purchase.currency)
    return build(purchase, lines, attempt_id, attempt.sent_at, settings, secret)


def record_sent(
    connection: Connection,
    attempt_id: str,
    outcome: Outcome[IssuedInvoice],
    settings: Settings,
    stamp: Stamp,
) -> Purchase:
    """Write down what became of a sendInvoice; returns the purchase after it."""
    attempt, purchase = lock_with_purchase(connection, attempt_id)
    exchange.keep(connection, outcome.exchange, purchase.id, attempt_id)
    if isinstance(outcome, Answered):
        if not _is_anothers(connection, purchase, outcome.value.reference):
            return _issued(connection, purchase, attempt, outcome.value, settings, stamp)
        purchase = _mixed_up(connection, purchase, attempt, outcome.value.reference, stamp)
    if isinstance(outcome, Refused):
        change(connection, attempt_id, state="refused", closed_at=stamp.at)
        return _refused(connection, purchase, outcome, stamp)
    change(connection, attempt_id, state="busy" if isinstance(outcome, Busy) else "unknown")
    if purchase.state != State.RECEIVED.value:
        return purchase
    first = timedelta(seconds=1) if isinstance(outcome, Busy) else patience(settings)
    wait = _growing(first, attempt.number)
    return _look_again(connection, purchase, settings, stamp.at, wait)


def _is_anothers(connection: Connection, purchase: Purchase, reference: str) -> bool:
    """Whether an invoice belongs to another purchase: an answer went astray, and one payment must not be
    taken for two. Of two such answers one waits for the other; SQLite's single writer does so by itself."""
    if connection.dialect.name == "postgresql":
        what = f"invoice {reference}"
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))
    attempts = invoice_attempts.c
    anothers = select(attempts.id).where(attempts.reference == reference, attempts.purchase_id != purchase.id)
    return connection.execute(anothers.limit(1)).first() is not None


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
    if purchase.started_over and has_open(connection, purchase.id):
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
    change(
        connection,
        attempt.id,
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
    return fail(connection, purchase, Trigger.REFUSE, Reason.INVOICE_REFUSED, stamp, detail)


def fail(
    connection: Connection,
    purchase: Purchase,
    trigger: Trigger,
    reason: Reason,
    stamp: Stamp,
    detail: str,
) -> Purchase:
    """Move a purchase to failed and give back its hold. Invoices that are still open stay watched."""
    if purchase.holds_stock:
        stock.release(connection, purchase.id, purchase.holds, stamp)
    return journal.move(
        connection,
        purchase,
        trigger,
        stamp,
        detail,
        reason=reason,
        holds_stock=False,
        next_check_at=stamp.at if has_open(connection, purchase.id) else None,
    )


def has_open(connection: Connection, purchase_id: str) -> bool:
    """Whether an invoice of the purchase may still be paid at SEQR, as far as we know."""
    attempts = invoice_attempts.c
    statement = (
        select(attempts.id).where(attempts.purchase_id == purchase_id, attempts.state == "open").limit(1)
    )
    return connection.execute(statement).first() is not None


def change(connection: Connection, attempt_id: str, **values: Any) -> None:
    """Write columns of an attempt."""
    connection.execute(update(invoice_attempts).where(invoice_attempts.c.id == attempt_id).values(**values))
