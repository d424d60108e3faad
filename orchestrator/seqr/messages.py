"""What goes to SEQR and what comes back, as plain values.

One call has one outcome: SEQR answered, refused for good, is busy (nothing was done), or nobody can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from orchestrator.money import Money

T_co = TypeVar("T_co", covariant=True)


class ResultCode:
    """SEQR's result codes that change what we do (facts, "Result codes"); others pass through as numbers."""

    SUCCESS = 0
    PAYMENT_IN_PROGRESS = 48
    CANNOT_CANCEL_PAID_INVOICE = 50
    CANNOT_CANCEL_INVOICE_IN_PROGRESS = 51
    INVALID_INVOICE_REFERENCE = 54
    SYSTEM_ERROR = 90
    SYSTEM_BUSY = 93
    SERVICE_UNAVAILABLE = 94
    INVOICE_ALREADY_CANCELED = 95


TRANSIENT_CODES = frozenset({48, 51, 90, 93, 94})


class InvoiceStatus:
    """Invoice statuses that we act on. SEQR may send others: they are kept as they came."""

    ISSUED = "ISSUED"
    PENDING_ISSUER_ACKNOWLEDGE = "PENDING_ISSUER_ACKNOWLEDGE"
    RESERVED = "RESERVED"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    PAID = "PAID"
    CANCELED = "CANCELED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One row of an invoice. ``total`` = quantity × unit price − discount."""

    description: str
    quantity: Decimal
    total: Money
    unit_price: Money | None = None
    discount: Money | None = None
    tax_rate: Decimal | None = None
    sku: str | None = None
    ean: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """What sendInvoice carries. ``client_invoice_id`` is ours, new for every attempt."""

    client_invoice_id: str
    title: str
    issue_date: datetime
    rows: tuple[InvoiceRow, ...]
    total: Money
    notification_url: str
    back_url: str | None = None
    cashier_id: str | None = None
    footer: str | None = None


@dataclass(frozen=True, slots=True)
class IssuedInvoice:
    """sendInvoice's answer."""

    reference: str
    qr_code: str | None


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """getPaymentStatus's answer. ``version`` goes into the next call (facts, rule 4)."""

    status: str
    version: int
    ers_reference: str | None = None
    paid: Money | str | None = None
    """The amount on the receipt, when there is one; as it came where it is no sum of money."""
    payment_reference: str | None = None
    invoice_reference: str | None = None
    """The reference on the receipt, when there is one."""


class Verdict(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    BUSY = "busy"
    UNKNOWN = "unknown"


Text = str | Callable[[], str]
"""A text, or what makes it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One SOAP call as kept for the merchant, without credentials.

    ``sent`` and ``came`` are its texts, or what makes and masks them: of most calls nobody reads them. Read
    them as ``request`` and ``response``.
    """

    operation: str
    started_at: datetime
    duration_ms: float
    verdict: Verdict
    result_code: int | None
    detail: str
    sent: Text = field(repr=False)
    came: Text = field(repr=False)

    @property
    def request(self) -> str:
        """What we said."""
        return _read(self.sent)

    @property
    def response(self) -> str:
        """What SEQR said, whatever it was."""
        return _read(self.came)


def _read(text: Text) -> str:
    return text if isinstance(text, str) else text()


@dataclass(frozen=True, slots=True)
class Answered(Generic[T_co]):
    """SEQR did it (result code 0)."""

    value: T_co
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Refused:
    """SEQR will not do it until somebody changes something."""

    code: int
    description: str
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Busy:
    """SEQR did nothing this time: a transient code, or no connection was made. Try again."""

    code: int | None
    description: str
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Unknown:
    """The call went out and no usable answer came back: it may or may not have been done."""

    description: str
    exchange: Exchange


Outcome = Answered[T_co] | Refused | Busy | Unknown


class Seqr(Protocol):
    """SEQR's Payment API as the orchestrator sees it. No method raises for anything that SEQR or the
    network does: that is what the outcome is for."""

    async def send_invoice(self, invoice: Invoice) -> Outcome[IssuedInvoice]: ...

    async def payment_status(self, reference: str, version: int) -> Outcome[PaymentStatus]: ...

    async def cancel_invoice(self, reference: str) -> Outcome[None]: ...

    async def close(self) -> None: ...
