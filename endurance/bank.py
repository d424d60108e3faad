"""SEQR as it must be feared: a payment that nobody asks about within 20 seconds is reversed (facts, rule 1).

It answers at once and checks nothing else. It notes when it was asked, which is what is judged.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape

from bench.stub import ENVELOPE, NOTIFICATION, REFERENCE, SENT, STATUS
from bench.wire import Answering

REVERSED_AFTER = 20.0
"""Seconds (facts, rule 1)."""

_ORDER = re.compile(rb"clientInvoiceId>([^<]+)<")
_TOTAL = re.compile(rb"<(?:\w+:)?totalAmount>(.*?)</(?:\w+:)?totalAmount>", re.DOTALL)
_RECEIPT = (
    "<receipt><invoice><totalAmount>{total}</totalAmount></invoice>"
    "<invoiceReference>{reference}</invoiceReference>"
    "<paymentReference>payment-{reference}</paymentReference></receipt>"
)


@dataclass(slots=True)
class Invoice:
    """One invoice. Times are seconds of one clock."""

    reference: str
    address: str
    """Where its shop wants to be notified."""
    order: str
    """The merchant's own id for it."""
    total: str
    """The amount, as it was sent."""
    paid_at: float | None = None
    committed_at: float | None = None
    """When getPaymentStatus first answered PAID."""
    reversed_at: float | None = None
    asked: list[float] = field(default_factory=list)
    """When each getPaymentStatus arrived."""
    notified: list[float] = field(default_factory=list)
    """When each notification set out."""

    @property
    def is_taken(self) -> bool:
        """Whether the money is the merchant's: paid, and not taken back."""
        return self.paid_at is not None and self.reversed_at is None

    def status(self) -> str:
        """The word for it."""
        if self.reversed_at is not None:
            return "CANCELED"
        return "ISSUED" if self.paid_at is None else "PAID"

    def version(self) -> int:
        """How often it has changed."""
        return (self.paid_at is not None) + (self.reversed_at is not None)

    def look(self, at: float) -> None:
        """Take the payment back, if its time is over."""
        if self.paid_at is not None and self.committed_at is None and at - self.paid_at > REVERSED_AFTER:
            self.reversed_at = self.reversed_at or self.paid_at + REVERSED_AFTER

    def wait(self) -> float | None:
        """Seconds from the payment to the question that committed it; None without one."""
        if self.paid_at is None or self.committed_at is None:
            return None
        return self.committed_at - self.paid_at

    def waits_after_notification(self) -> Iterator[float]:
        """Seconds from each notification to the next question. One that came when the payment had been
        asked about already has nothing left to bring about, and is left out."""
        for notified in self.notified:
            if self.committed_at is None or notified < self.committed_at:
                yield min(
                    (asked - notified for asked in self.asked if asked >= notified), default=float("inf")
                )


class Bank:
    """The invoices by reference, and SEQR's answers about them. ``clock`` is monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.invoices: dict[str, Invoice] = {}
        self._clock = clock

    def pay(self, reference: str) -> None:
        """The customer confirms with the PIN. Nobody is notified."""
        invoice = self.invoices[reference]
        assert invoice.paid_at is None
        invoice.paid_at = self._clock()

    def notified(self, reference: str) -> None:
        """A notification sets out now."""
        self.invoices[reference].notified.append(self._clock())

    def waiting(self) -> int:
        """How many payments nobody has asked about yet, and still may."""
        at = self._clock()
        for invoice in self.invoices.values():
            invoice.look(at)
        return sum(invoice.is_taken and invoice.committed_at is None for invoice in self.invoices.values())

    def answer(self, target: bytes, body: bytes) -> bytes:
        """One call of the Payment API."""
        if b"sendInvoice>" in body:
            return self._send_invoice(body).encode()
        found = REFERENCE.search(body)
        assert found is not None, body
        invoice = self.invoices[found[1].decode()]
        if b"getPaymentStatus>" in body:
            return self._payment_status(invoice).encode()
        raise AssertionError(body)

    def _send_invoice(self, body: bytes) -> str:
        reference = f"{len(self.invoices) + 1:017d}"
        address, order, total = (_found(pattern, body) for pattern in (NOTIFICATION, _ORDER, _TOTAL))
        self.invoices[reference] = Invoice(reference, address, order, total)
        rest = SENT.format(reference=reference)
        return ENVELOPE.format(operation="sendInvoice", reference=reference, rest=rest)

    def _payment_status(self, invoice: Invoice) -> str:
        at = self._clock()
        invoice.asked.append(at)
        invoice.look(at)
        rest = STATUS.format(status=invoice.status(), version=invoice.version())
        if invoice.is_taken:
            invoice.committed_at = invoice.committed_at or at
            rest += _RECEIPT.format(total=invoice.total, reference=invoice.reference)
        return ENVELOPE.format(operation="getPaymentStatus", reference=invoice.reference, rest=rest)


@asynccontextmanager
async def open_bank() -> AsyncIterator[tuple[Bank, str]]:
    """A bank on a free port, and the address of its Payment API."""
    bank = Bank()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(bank.answer), "127.0.0.1", 0, backlog=512)
    try:
        yield bank, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/soap"
    finally:
        server.close()


def _found(pattern: re.Pattern[bytes], body: bytes) -> str:
    found = pattern.search(body)
    assert found is not None, body
    return unescape(found[1].decode())
