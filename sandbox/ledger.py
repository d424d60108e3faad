"""SEQR's books, kept in memory: invoices, payments, and the 20 second rule.

Every method is quick and synchronous, so tests may call them directly::

    booked = sandbox.ledger.invoice(reference)
    sandbox.ledger.pay(reference)
    assert booked.seconds_to_first_ask < 5

Monotonic times are seconds of ``clock``; ``*_on`` are aware UTC datetimes for people.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.booking import BookedInvoice, Cause, Event, Status
from sandbox.errors import Refusal, ResultCode
from sandbox.invoice import Invoice
from sandbox.terminals import Principal, Terminals

Listener = Callable[[BookedInvoice], None]


@dataclass(frozen=True, slots=True)
class TextMessage:
    """An SMS that SEQR sent to the customer."""

    on: datetime
    reference: str
    text: str


class Ledger:
    """All invoices of all terminals.

    A payment that no getPaymentStatus has seen ``reversal_seconds`` after it was made is reversed (facts,
    rule 1). That is looked for whenever the books are opened, and at once when the time is up if the
    sandbox runs.
    """

    def __init__(
        self,
        terminals: Terminals | None = None,
        *,
        reversal_seconds: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.terminals = terminals or Terminals()
        self.reversal_seconds = reversal_seconds
        self.messages: list[TextMessage] = []
        self.on_paid: list[Listener] = []
        """Called with an invoice that has just been paid."""
        self.on_customer_cancel: list[Listener] = []
        """Called with an invoice that the customer has just cancelled."""
        self._clock = clock
        self._numbers = itertools.count(1)
        self._invoices: dict[str, BookedInvoice] = {}
        self._uncommitted: deque[tuple[BookedInvoice, float]] = deque()

    # -- reading -------------------------------------------------------------------------------------

    @property
    def invoices(self) -> list[BookedInvoice]:
        """Every invoice, the newest first."""
        self.reverse_overdue()
        return list(reversed(self._invoices.values()))

    def invoice(self, reference: str) -> BookedInvoice:
        """The invoice with this reference, whoever issued it.

        Raises:
            Refusal: 54 when there is none.
        """
        self.reverse_overdue()
        booked = self._invoices.get(reference)
        if booked is None:
            raise Refusal(ResultCode.INVALID_INVOICE_REFERENCE, f"no invoice {reference} is known here")
        return booked

    # -- what shops do ---------------------------------------------------------------------------------

    def issue(self, terminal: Principal, invoice: Invoice) -> BookedInvoice:
        """Book a new invoice (sendInvoice). A cash register's earlier invoice is cancelled by it.

        Raises:
            Refusal: 48 when the cash register's earlier invoice is being paid right now.
        """
        if terminal.registered:
            self._close_previous(terminal)
        now = datetime.now(UTC)
        booked = BookedInvoice(self._new_reference(now), terminal.id, invoice, issued_on=now)
        booked.status = _status_before_payment(invoice)
        self._invoices[booked.reference] = booked
        self.note(booked, "issued")
        return booked

    def update(self, terminal: Principal, reference: str, invoice: Invoice) -> BookedInvoice:
        """Replace what an open invoice says (updateInvoice).

        Raises:
            Refusal: 54 unknown to this terminal, 48 being paid, 95 cancelled, 49 paid or failed already.
        """
        booked = self._of(terminal, reference)
        if booked.in_progress:
            raise Refusal(ResultCode.PAYMENT_IN_PROGRESS, f"{reference} is being paid")
        if booked.status is Status.CANCELED:
            raise Refusal(ResultCode.INVOICE_ALREADY_CANCELED, f"{reference} is cancelled")
        if not booked.open:
            raise Refusal(
                ResultCode.INVALID_INVOICE_DATA, f"{reference} is {booked.status} and cannot change"
            )
        booked.invoice = invoice
        self._change(booked, _status_before_payment(invoice), "updated")
        return booked

    def ask(self, terminal: Principal, reference: str, version: int) -> BookedInvoice:
        """What a getPaymentStatus sees. When that is PAID, this is the commit of the payment.

        Raises:
            Refusal: 54 unknown to this terminal.
        """
        booked = self._of(terminal, reference)
        now = self._clock()
        booked.asks += 1
        booked.acknowledged_version = max(booked.acknowledged_version, min(version, booked.version))
        if booked.paid_at is not None:
            booked.asks_after_payment += 1
            booked.first_asked_at = booked.first_asked_at or now
        if booked.awaiting_commit:
            booked.committed_at = now
            self.note(booked, "committed", f"asked {now - (booked.paid_at or now):.1f} s after the payment")
        return booked

    def cancel_for_shop(self, terminal: Principal, reference: str) -> BookedInvoice:
        """Cancel an open invoice (cancelInvoice).

        Raises:
            Refusal: 54 unknown to this terminal, 95 cancelled, 50 paid, 51 being paid (facts, rule 6).
        """
        booked = self._of(terminal, reference)
        _refuse_closed(booked)
        self._cancel(booked, Cause.SHOP)
        return booked

    # -- what customers do -------------------------------------------------------------------------------

    def begin_payment(self, reference: str) -> BookedInvoice:
        """The customer gave the PIN and the money is on its way. ``pay`` or ``fail`` ends it.

        Raises:
            Refusal: 54 unknown, 95 cancelled, 50 paid, 51 being paid, 48 not acknowledged by the shop.
        """
        booked = self.invoice(reference)
        _refuse_closed(booked)
        if booked.status is Status.PENDING_ISSUER_ACKNOWLEDGE:
            raise Refusal(
                ResultCode.PAYMENT_IN_PROGRESS, f"the shop has not confirmed the amount of {reference}"
            )
        booked.in_progress = True
        self.note(booked, "pin given")
        return booked

    def pay(self, reference: str, payer: str = "") -> BookedInvoice:
        """The customer pays; ``payer`` is the phone's number. The clock of the 20 second rule starts."""
        booked = self.invoice(reference)
        if not booked.in_progress:
            self.begin_payment(reference)
        now = datetime.now(UTC)
        booked.in_progress = False
        booked.payer = payer or None
        booked.paid_on, booked.paid_at = now, self._clock()
        self._uncommitted.append((booked, booked.paid_at + self.reversal_seconds))
        number = next(self._numbers)
        booked.ers_reference = f"{now:%Y%m%d%H%M%S%f}{number:05d}"
        booked.payment_reference = f"{number:09d}"
        self._change(booked, Status.PAID, "paid")
        for listener in self.on_paid:
            listener(booked)
        return booked

    def fail(self, reference: str) -> BookedInvoice:
        """The payment is refused, for example for want of money: the invoice is FAILED."""
        booked = self.invoice(reference)
        if not booked.in_progress:
            self.begin_payment(reference)
        booked.in_progress = False
        self._change(booked, Status.FAILED, "payment refused")
        return booked

    def cancel(self, reference: str) -> BookedInvoice:
        """The customer cancels at the purchase details.

        Raises:
            Refusal: 54 unknown, 95 cancelled already, 50 paid, 51 being paid.
        """
        booked = self.invoice(reference)
        _refuse_closed(booked)
        self._cancel(booked, Cause.CUSTOMER)
        for listener in self.on_customer_cancel:
            listener(booked)
        return booked

    # -- what time does ----------------------------------------------------------------------------------

    def reverse_overdue(self) -> None:
        """Reverse every payment that nobody has asked for in time (facts, rule 1)."""
        while self._uncommitted:
            booked, due = self._uncommitted[0]
            if not booked.committed and self._clock() < due:
                break
            self._uncommitted.popleft()
            if not booked.committed:
                self._reverse(booked, due)

    def note(self, booked: BookedInvoice, name: str, detail: str = "") -> None:
        """Write down something that happened around an invoice, such as a notification."""
        booked.events.append(Event(self._clock(), datetime.now(UTC), name, detail))

    def _reverse(self, booked: BookedInvoice, due: float) -> None:
        booked.reversed_at, booked.reversed_on = due, datetime.now(UTC)
        booked.cause = Cause.REVERSAL
        text = (
            f"SEQR: your payment of {booked.invoice.total} for {booked.invoice.title} was given back, "
            "because the shop did not answer. You have not been charged."
        )
        self.messages.append(TextMessage(booked.reversed_on, booked.reference, text))
        self._change(booked, Status.CANCELED, "reversed", "no getPaymentStatus in time")

    def _close_previous(self, terminal: Principal) -> None:
        self.reverse_overdue()
        mine = [booked for booked in self._invoices.values() if booked.terminal == terminal.id]
        if any(booked.in_progress for booked in mine):
            raise Refusal(ResultCode.PAYMENT_IN_PROGRESS, "the previous invoice is being paid")
        for booked in mine:
            if booked.open:
                self._cancel(booked, Cause.NEXT_INVOICE)

    def _cancel(self, booked: BookedInvoice, cause: Cause) -> None:
        booked.cause = cause
        self._change(booked, Status.CANCELED, "cancelled", f"by {cause}")

    def _change(self, booked: BookedInvoice, status: Status, event: str, detail: str = "") -> None:
        booked.status = status
        booked.version += 1
        self.note(booked, event, detail)

    def _of(self, terminal: Principal, reference: str) -> BookedInvoice:
        booked = self.invoice(reference)
        if booked.terminal != terminal.id:
            raise Refusal(
                ResultCode.INVALID_INVOICE_REFERENCE, f"{reference} is not an invoice of {terminal.id}"
            )
        return booked

    def _new_reference(self, now: datetime) -> str:
        return f"{now:%Y%m%d%H%M%S}{next(self._numbers):03d}"


def _status_before_payment(invoice: Invoice) -> Status:
    """Without NO_ACKNOWLEDGMENT the phone waits for the shop's word on the amount."""
    return Status.ISSUED if invoice.acknowledged else Status.PENDING_ISSUER_ACKNOWLEDGE


def _refuse_closed(booked: BookedInvoice) -> None:
    reference = booked.reference
    if booked.in_progress:
        raise Refusal(ResultCode.CANNOT_CANCEL_INVOICE_IN_PROGRESS, f"{reference} is being paid right now")
    if booked.status is Status.PAID:
        raise Refusal(ResultCode.CANNOT_CANCEL_PAID_INVOICE, f"{reference} is paid")
    if booked.status in (Status.CANCELED, Status.FAILED):
        raise Refusal(ResultCode.INVOICE_ALREADY_CANCELED, f"{reference} is {booked.status.lower()}")
