"""An invoice as a shop hands it in, and the checks that SEQR makes on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.errors import Refusal, ResultCode
from sandbox.price import price

_CURRENCY = re.compile(r"[A-Z]{3}")
_WEB_ADDRESS = re.compile(r"https?://[^\s/]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Amount:
    """Money on the wire: a decimal value and an ISO 4217 currency."""

    value: Decimal
    currency: str

    def __str__(self) -> str:
        return price(self.value, self.currency)


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One row of an invoice."""

    description: str
    quantity: Decimal
    total: Amount
    unit_price: Amount | None = None
    unit: str | None = None
    tax_rate: Decimal | None = None
    sku: str | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """What sendInvoice handed in. ``wire`` is the invoice as it came, for the receipt."""

    title: str
    client_invoice_id: str | None
    rows: tuple[InvoiceRow, ...]
    total: Amount
    notification_url: str | None = None
    back_url: str | None = None
    footer: str | None = None
    issue_date: datetime | None = None
    acknowledged: bool = True
    """Whether the shop has said that the amount stands (acknowledgmentMode NO_ACKNOWLEDGMENT)."""
    wire: Any = None


def read_invoice(wire: Any) -> Invoice:
    """The invoice of a sendInvoice or updateInvoice message, checked.

    Raises:
        Refusal: 49 for missing or contradicting data, 11 for an amount that is not positive, 64 for a
            notificationUrl that is not http or https, 91 for a payment mode not played here.
    """
    if wire is None:
        raise Refusal(ResultCode.INVALID_INVOICE_DATA, "the invoice is missing")
    _check_payment_mode(wire["paymentMode"])
    total = _amount(wire["totalAmount"], "totalAmount")
    if total.value <= 0:
        raise Refusal(ResultCode.REJECTED_AMOUNT, f"totalAmount {total.value} is not positive")
    rows = tuple(_row(row, number) for number, row in enumerate(_wire_rows(wire), start=1))
    _check_sum(rows, total)
    return Invoice(
        title=wire["title"] or "Purchase",
        client_invoice_id=wire["clientInvoiceId"],
        rows=rows,
        total=total,
        notification_url=_notification_url(wire["notificationUrl"]),
        back_url=_web_address(wire["backURL"]),
        footer=wire["footer"],
        issue_date=wire["issueDate"],
        acknowledged=wire["acknowledgmentMode"] in (None, "NO_ACKNOWLEDGMENT"),
        wire=wire,
    )


def _check_payment_mode(mode: str | None) -> None:
    if mode not in (None, "IMMEDIATE_DEBIT"):
        raise Refusal(ResultCode.UNSUPPORTED_OPERATION, f"paymentMode {mode} is not played by this sandbox")


def _wire_rows(wire: Any) -> list[Any]:
    rows = wire["invoiceRows"]["invoiceRow"] if wire["invoiceRows"] is not None else None
    if not rows:
        raise Refusal(ResultCode.INVALID_INVOICE_DATA, "the invoice has no rows")
    return list(rows)


def _row(wire: Any, number: int) -> InvoiceRow:
    quantity = wire["itemQuantity"]
    if quantity is None or not quantity.is_finite() or quantity < 1:
        raise Refusal(ResultCode.INVALID_INVOICE_DATA, f"row {number}: itemQuantity must be 1 or more")
    price = wire["itemUnitPrice"]
    return InvoiceRow(
        description=wire["itemDescription"] or wire["itemSKU"] or f"Item {number}",
        quantity=quantity,
        total=_amount(wire["itemTotalAmount"], f"row {number}: itemTotalAmount"),
        unit_price=None if price is None else _amount(price, f"row {number}: itemUnitPrice"),
        unit=wire["itemUnit"],
        tax_rate=wire["itemTaxRate"],
        sku=wire["itemSKU"],
    )


def _amount(wire: Mapping[str, Any] | None, name: str) -> Amount:
    if wire is None or wire["value"] is None or not wire["currency"]:
        raise Refusal(ResultCode.INVALID_INVOICE_DATA, f"{name} needs a value and a currency")
    value: Decimal = wire["value"]
    if not value.is_finite():
        raise Refusal(ResultCode.INVALID_INVOICE_DATA, f"{name} is not a number")
    if not _CURRENCY.fullmatch(wire["currency"]):
        raise Refusal(
            ResultCode.INVALID_INVOICE_DATA, f"{name}: {wire['currency']!r} is no ISO 4217 currency"
        )
    return Amount(value, wire["currency"])


def _check_sum(rows: tuple[InvoiceRow, ...], total: Amount) -> None:
    if any(row.total.currency != total.currency for row in rows):
        raise Refusal(ResultCode.INVALID_INVOICE_DATA, "rows and totalAmount are in different currencies")
    added = sum((row.total.value for row in rows), Decimal(0))
    if added != total.value:
        raise Refusal(
            ResultCode.INVALID_INVOICE_DATA, f"the rows add up to {added}, but totalAmount is {total.value}"
        )


def _notification_url(address: str | None) -> str | None:
    if address and not _WEB_ADDRESS.match(address):
        raise Refusal(
            ResultCode.INVALID_NOTIFICATION_URL, "notificationUrl must start with http:// or https://"
        )
    return address or None


def _web_address(address: str | None) -> str | None:
    """backURL becomes a link on the phone, so anything but a web address is left out."""
    return address if address and _WEB_ADDRESS.match(address) else None
