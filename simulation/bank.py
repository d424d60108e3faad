"""SEQR's books: invoices, payments, and the 20 second rule (facts, rules 1, 4, 6 and 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from orchestrator.money import Money
from orchestrator.seqr.messages import Invoice, InvoiceStatus, PaymentStatus, ResultCode
from simulation.trouble import OFTEN, PATIENCE
from simulation.world import World

ASKED = "no payment is reversed that could have been asked about"
ONE_PAYABLE = "one invoice of a purchase at a time can be paid by a customer"
OFTEN_ENOUGH = "every open invoice is asked about every 10 s, if nothing is in the way"
VERSION = "getPaymentStatus says only versions that SEQR has told"
_CLOSED = (InvoiceStatus.PAID, InvoiceStatus.CANCELED, InvoiceStatus.FAILED)
_ODD_RECEIPTS = 0.015


@dataclass(slots=True)
class Booked:
    """An invoice in SEQR's books. Times are virtual seconds."""

    reference: str
    purchase_id: str
    notification_key: str
    total: Money
    status: str = InvoiceStatus.ISSUED
    version: int = 1
    paying: bool = False
    """The PIN is given: it can neither be paid again nor cancelled."""
    known: bool = False
    """Whether a customer has learnt of it."""
    taken: Money | None = None
    """What SEQR took, which is hardly ever not the total."""
    ers_reference: str | None = None
    asked_at: float | None = None
    """When the shop last began to ask about it."""
    paid_at: float = 0.0
    committed: bool = False
    reversed: bool = False

    @property
    def payable(self) -> bool:
        """Whether a customer who knows of it may pay it, or is just paying it."""
        return self.status not in _CLOSED

    @property
    def holds_money(self) -> bool:
        """Whether SEQR has taken the customer's money for good."""
        return self.status == InvoiceStatus.PAID and self.committed

    def answer(self) -> PaymentStatus:
        """What getPaymentStatus says of it."""
        paid = self.status == InvoiceStatus.PAID
        return PaymentStatus(
            self.status,
            self.version,
            ers_reference=self.ers_reference,
            paid=self.taken if paid else None,
            invoice_reference=self.reference,
        )


class Bank:
    """All invoices. ``moved`` is called with each that was paid, cancelled by its customer, or failed;
    ``about_to_move`` with each that is being paid, or whose answer is on its way."""

    def __init__(self, world: World) -> None:
        self.invoices: dict[str, Booked] = {}
        self.moved: Callable[[Booked], None] = lambda _: None
        self.about_to_move: Callable[[Booked], None] = lambda _: None
        self._world = world

    # -- what the shop does ------------------------------------------------------------------------------

    def issue(self, invoice: Invoice) -> Booked:
        """sendInvoice. The same one twice makes two invoices (facts, rule 7)."""
        reference = f"{20260000 + len(self.invoices) + 1}"
        key = invoice.notification_url.rpartition("/")[2]
        booked = Booked(reference, key.partition(".")[0], key, invoice.total)
        self.invoices[reference] = booked
        self._tell(booked, "is issued")
        self.about_to_move(booked)
        return booked

    def about_to_ask(self, reference: str) -> str:
        """The shop begins to ask about an invoice; returns the purchase that it is of."""
        booked, at = self.invoices[reference], self._world.loop.elapsed
        if booked.asked_at is not None and booked.payable:
            gap = self._world.trouble.clear_stretch(booked.purchase_id, booked.asked_at, at, OFTEN)
            words = f"{reference} was asked about at {booked.asked_at:.3f} and not before {at:.3f}"
            self._world.check(OFTEN_ENOUGH, [words] if gap else [])
        booked.asked_at = at
        return booked.purchase_id

    def ask(self, reference: str, version: int) -> PaymentStatus:
        """getPaymentStatus. When it answers PAID, this is the commit of the payment."""
        booked = self.invoices[reference]
        told = f"{reference} was asked about with version {version}, it is at {booked.version}"
        self._world.check(VERSION, [told] if version > booked.version else [])
        if booked.status == InvoiceStatus.PAID and not booked.committed:
            booked.committed = True
            self._tell(booked, f"is committed, {self._world.loop.elapsed - booked.paid_at:.1f} s after")
        return booked.answer()

    def cancel(self, reference: str) -> int:
        """cancelInvoice; returns a result code."""
        booked = self.invoices[reference]
        if booked.status == InvoiceStatus.PAID:
            return ResultCode.CANNOT_CANCEL_PAID_INVOICE
        if booked.status in _CLOSED:
            return ResultCode.INVOICE_ALREADY_CANCELED
        if booked.paying:
            codes = (ResultCode.CANNOT_CANCEL_INVOICE_IN_PROGRESS, ResultCode.PAYMENT_IN_PROGRESS)
            return self._world.random.choice(codes)
        self._change(booked, InvoiceStatus.CANCELED, "is cancelled by the shop")
        return ResultCode.SUCCESS

    # -- what customers do -------------------------------------------------------------------------------

    def learn(self, reference: str) -> None:
        """A customer learns of an invoice: from createPurchase's answer, or from a mail."""
        booked = self.invoices[reference]
        booked.known = True
        payable = [
            other.reference
            for other in self.invoices.values()
            if other.purchase_id == booked.purchase_id and other.known and other.payable
        ]
        both = f"{booked.purchase_id} can be paid by {' and by '.join(payable)}"
        self._world.check(ONE_PAYABLE, [both] if len(payable) > 1 else [])

    def begin_payment(self, reference: str) -> bool:
        """The customer gives the PIN; returns False when SEQR says that it cannot be paid any more."""
        booked = self.invoices[reference]
        if not booked.payable or booked.paying:
            return False
        booked.paying = True
        self._tell(booked, "is being paid")
        self.about_to_move(booked)
        return True

    def pay(self, reference: str) -> None:
        """The money is there. The 20 seconds begin."""
        booked = self.invoices[reference]
        booked.paying = False
        booked.paid_at = self._world.loop.elapsed
        booked.ers_reference = f"E{reference}"
        odd = not self._world.calm and self._world.random.random() < _ODD_RECEIPTS
        booked.taken = replace(booked.total, value=booked.total.value - Decimal(1)) if odd else booked.total
        self._change(booked, InvoiceStatus.PAID, f"is paid: {booked.taken}")
        self._world.later(PATIENCE, lambda: self._reverse(booked))
        self.moved(booked)

    def fail(self, reference: str) -> None:
        """SEQR refuses the payment."""
        booked = self.invoices[reference]
        booked.paying = False
        self._change(booked, InvoiceStatus.FAILED, "fails: no money")
        self.moved(booked)

    def back_out(self, reference: str) -> None:
        """The customer does not go through with it; the invoice can still be paid."""
        booked = self.invoices[reference]
        booked.paying = False
        self._tell(booked, "is not paid after all")

    def withdraw(self, reference: str) -> bool:
        """The customer cancels; returns False when that comes too late."""
        booked = self.invoices[reference]
        if not booked.payable or booked.paying:
            return False
        self._change(booked, InvoiceStatus.CANCELED, "is cancelled by the customer")
        self.moved(booked)
        return True

    def _reverse(self, booked: Booked) -> None:
        if booked.committed:
            self._world.check(ASKED)
            return
        booked.reversed = True
        self._change(booked, InvoiceStatus.CANCELED, "is reversed: nobody asked")
        self._world.faults["payment: reversed, nobody could ask"] += 1
        clear = self._world.trouble.clear_stretch(
            booked.purchase_id, booked.paid_at, booked.paid_at + PATIENCE
        )
        words = "" if clear is None else f"from {clear[0]:.3f} to {clear[1]:.3f} nothing was in the way"
        self._world.check(ASKED, [f"{booked.reference} was reversed; {words}"] if clear else [])

    def _change(self, booked: Booked, status: str, words: str) -> None:
        booked.status = status
        booked.version += 1
        self._tell(booked, words)

    def _tell(self, booked: Booked, words: str) -> None:
        self._world.tell("SEQR", f"{booked.reference} of {booked.purchase_id} {words}")
