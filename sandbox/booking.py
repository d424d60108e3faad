"""One invoice in SEQR's books, with everything that happened to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sandbox.invoice import Invoice


class Status(StrEnum):
    """Invoice statuses as they go over the wire; only those that the public WSDL lists."""

    ISSUED = "ISSUED"
    PENDING_ISSUER_ACKNOWLEDGE = "PENDING_ISSUER_ACKNOWLEDGE"
    PAID = "PAID"
    CANCELED = "CANCELED"
    FAILED = "FAILED"


OPEN = frozenset({Status.ISSUED, Status.PENDING_ISSUER_ACKNOWLEDGE})


class Cause(StrEnum):
    """Why an invoice is CANCELED."""

    CUSTOMER = "customer"
    SHOP = "shop"
    NEXT_INVOICE = "next invoice of the cash register"
    REVERSAL = "reversal"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: ``at`` is monotonic seconds, ``on`` the time of day in UTC."""

    at: float
    on: datetime
    name: str
    detail: str = ""


@dataclass(slots=True)
class BookedInvoice:
    """An invoice and its history. Times are monotonic seconds of the ledger's clock."""

    reference: str
    terminal: str
    invoice: Invoice
    issued_on: datetime
    status: Status = Status.ISSUED
    version: int = 1
    """Goes up with every change of the invoice (facts, rule 4)."""
    acknowledged_version: int = 0
    """The highest invoiceVersion that the shop has sent back."""
    in_progress: bool = False
    """The PIN is given and the money is on its way: it can neither be paid again nor cancelled."""
    cause: Cause | None = None
    ers_reference: str | None = None
    payment_reference: str | None = None
    payer: str | None = None
    paid_on: datetime | None = None
    paid_at: float | None = None
    first_asked_at: float | None = None
    """When getPaymentStatus came for the first time after the payment."""
    asks: int = 0
    asks_after_payment: int = 0
    committed_at: float | None = None
    reversed_at: float | None = None
    reversed_on: datetime | None = None
    events: list[Event] = field(default_factory=list)

    @property
    def qr_code(self) -> str:
        """What the QR code of this invoice says."""
        return f"HTTP://SEQR.SE/R{self.reference}"

    @property
    def open(self) -> bool:
        """Whether a customer can still pay it."""
        return self.status in OPEN and not self.in_progress

    @property
    def committed(self) -> bool:
        """Whether a getPaymentStatus has answered PAID in time (facts, rule 1)."""
        return self.committed_at is not None

    @property
    def reversed(self) -> bool:
        """Whether the payment was given back because nobody asked in time (facts, rule 1)."""
        return self.reversed_at is not None

    @property
    def awaiting_commit(self) -> bool:
        """Paid, and SEQR is waiting for the getPaymentStatus."""
        return self.status is Status.PAID and not self.committed

    @property
    def seconds_to_first_ask(self) -> float | None:
        """Seconds from the payment to the first getPaymentStatus after it; None while there was none."""
        if self.paid_at is None or self.first_asked_at is None:
            return None
        return self.first_asked_at - self.paid_at
