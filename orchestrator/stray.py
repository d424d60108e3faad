"""Stray money: what SEQR took beside what a purchase asked for. It stays marked until the merchant acts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from orchestrator import journal
from orchestrator.money import Money
from orchestrator.purchase import Purchase
from orchestrator.seqr.messages import InvoiceStatus
from orchestrator.stamp import Stamp
from orchestrator.tables import invoice_attempts

_TOOK = "SEQR took"


def mismatch(purchase: Purchase, reference: str | None, paid: Money | str | None) -> str:
    """How the sum on a receipt differs from the invoice's, with both; empty when it does not."""
    if paid is None or paid == purchase.money:
        return ""
    return f"{_TOOK} {paid} for invoice {reference}, which asked for {purchase.money}."


def wrong_sum(connection: Connection, purchase: Purchase) -> str | None:
    """What was marked of an invoice of an unpaid purchase that was paid with a wrong sum.

    None if there is none, if the money went back, or if the merchant has started over since.
    """
    if purchase.attention is None or not _paid(connection, purchase):
        return None
    return journal.last_mark(connection, purchase.id, _TOOK)


def paid_too(connection: Connection, purchase: Purchase) -> str | None:
    """Which further invoices of a paid purchase were paid, for the merchant; None if there is none."""
    further = [
        reference for reference in _paid(connection, purchase) if reference != purchase.invoice_reference
    ]
    if not further:
        return None
    return f"Invoice {', '.join(map(str, further))} was paid too: refund what was paid twice."


def mark_paid_too(connection: Connection, purchase: Purchase, stamp: Stamp) -> Purchase:
    """Mark a paid purchase whose further invoices were paid, beside what it is marked for already."""
    too, known = paid_too(connection, purchase) or "", purchase.attention or ""
    return purchase if too in known else journal.mark(connection, purchase, f"{known} {too}".strip(), stamp)


def _paid(connection: Connection, purchase: Purchase) -> Sequence[str | None]:
    c = invoice_attempts.c
    mine = select(c.reference).where(c.purchase_id == purchase.id, c.status == InvoiceStatus.PAID)
    return connection.execute(mine.order_by(c.number)).scalars().all()
