"""The invoice that SEQR gets for a purchase."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from orchestrator.pricing import Line, LineKind
from orchestrator.purchase import Purchase
from orchestrator.seqr.messages import Invoice, InvoiceRow
from orchestrator.settings import Settings

NOTIFICATION_PATH = "/seqr/notification/"


@dataclass(frozen=True, slots=True)
class Draft:
    """What an invoice is made of. ``attempt_id`` becomes the client invoice id."""

    purchase: Purchase
    lines: Sequence[Line]
    attempt_id: str
    at: datetime


def build(draft: Draft, settings: Settings, secret: str) -> Invoice:
    """The message for one sendInvoice."""
    key = notification_key(draft.purchase.id, secret)
    return Invoice(
        client_invoice_id=draft.attempt_id,
        title=settings.shop_name,
        issue_date=draft.at,
        rows=tuple(_row(line) for line in draft.lines if line.kind is not LineKind.STOCK),
        total=draft.purchase.money,
        notification_url=f"{settings.public_url}{NOTIFICATION_PATH}{key}",
        back_url=settings.back_url,
    )


def _row(line: Line) -> InvoiceRow:
    listed = line.unit_price * line.quantity
    return InvoiceRow(
        description=line.title,
        quantity=Decimal(line.quantity),
        total=line.total,
        # A bundle that costs more than its parts has no unit price that would multiply to its total.
        unit_price=line.unit_price if listed >= line.total else None,
        discount=listed - line.total if line.total < listed else None,
        tax_rate=line.tax_rate,
        sku=line.sku or line.product_token,
        ean=line.ean,
    )


def notification_key(purchase_id: str, secret: str) -> str:
    """The unguessable end of a purchase's notification address: its id and our signature of it."""
    signature = _signature(secret).copy()
    signature.update(purchase_id.encode())
    return f"{purchase_id}.{base64.urlsafe_b64encode(signature.digest()[:24]).decode()}"


@lru_cache(1)
def _signature(secret: str) -> hmac.HMAC:
    """What every signature begins with: a program has one secret."""
    return hmac.new(secret.encode(), b"notification:", hashlib.sha256)


def purchase_notified(key: str, secret: str) -> str | None:
    """The purchase that a notification address belongs to; None if it is none of ours."""
    purchase_id, _, _ = key.partition(".")
    ours = hmac.compare_digest(notification_key(purchase_id, secret).encode(), key.encode())
    return purchase_id if ours else None
