"""What SEQR's answers mean: from fields to the values of :mod:`orchestrator.seqr.messages`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from orchestrator.money import Money, MoneyError
from orchestrator.seqr.errors import Unintelligible
from orchestrator.seqr.messages import IssuedInvoice, PaymentStatus
from orchestrator.seqr.reader import TWICE
from orchestrator.seqr.request import Fields

LONGEST_TEXT = 500
LONGEST_REFERENCE = 64
LONGEST_STATUS = 64
LONGEST_SUM = 64
"""What the database has room for; SEQR's own references have 17 to 25 characters."""
_LARGEST_INT = 2**31 - 1
_TWO_SUMS = "more than one sum"
_TWO_INVOICES = "more than one"


@dataclass(frozen=True, slots=True)
class Result:
    """What every answer says; ``fields`` has the rest."""

    code: int
    description: str | None
    fields: Fields


def result(fields: Fields) -> Result:
    """Raises Unintelligible when there is no result code, or more than one."""
    code = _int(fields, "resultCode", lowest=-_LARGEST_INT)
    if code is None:
        raise Unintelligible("The answer has no result code that is one.")
    return Result(code, _shortened(_text(fields, "resultDescription")), fields)


def issued_invoice(fields: Fields) -> IssuedInvoice:
    """sendInvoice's answer. Raises Unintelligible without an invoiceReference: nobody can then ask for it."""
    reference = _reference(fields, "invoiceReference")
    if reference is None:
        raise Unintelligible("SEQR said SUCCESS, but gave no usable invoiceReference.")
    return IssuedInvoice(reference, _shortened(_text(fields, "invoiceQRCode")))


def payment_status(fields: Fields, asked_version: int) -> PaymentStatus:
    """getPaymentStatus's answer. Raises Unintelligible without a status. A version that is missing or out of
    range leaves us at the one we asked with."""
    status = _text(fields, "status")
    if status is None or len(status) > LONGEST_STATUS:
        raise Unintelligible("SEQR said SUCCESS, but gave no usable payment status.")
    version = _int(fields, "version", lowest=0)
    receipt = _fields(fields, "receipt")
    return PaymentStatus(
        status=status,
        version=asked_version if version is None else version,
        ers_reference=_reference(fields, "ersReference"),
        paid=_sum(fields),
        payment_reference=_reference(receipt, "paymentReference"),
        invoice_reference=_receipts_invoice(fields),
    )


def nothing(fields: Fields) -> None:
    """cancelInvoice's answer: that it came is all it says."""


def _sum(fields: Fields) -> Money | str | None:
    """What the receipt says was paid, as text where that is no sum of money; None where it does not say."""
    for name in ("receipt", "invoice", "totalAmount"):
        value = fields.get(name)
        if value is TWICE:
            return _TWO_SUMS
        fields = value if isinstance(value, dict) else {}
    value, currency = fields.get("value"), fields.get("currency")
    if TWICE in (value, currency):
        return _TWO_SUMS
    return None if value is None else _money(value, _text(fields, "currency") or "")


def _money(value: object, currency: str) -> Money | str:
    try:
        if isinstance(value, Decimal):
            return Money(value, currency.upper())
    except (MoneyError, ArithmeticError):
        pass  # it is told as it came
    return f"{value} {currency}".strip()[:LONGEST_SUM]


def _fields(fields: Fields, name: str) -> Fields:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def _text(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _reference(fields: Fields, name: str) -> str | None:
    text = _text(fields, name)
    return text if text and len(text) <= LONGEST_REFERENCE else None


def _receipts_invoice(fields: Fields) -> str | None:
    """The invoice that the receipt is about; where it names several, none of them is believed."""
    receipt = fields.get("receipt")
    if receipt is TWICE or _fields(fields, "receipt").get("invoiceReference") is TWICE:
        return _TWO_INVOICES
    return _reference(_fields(fields, "receipt"), "invoiceReference")


def _int(fields: Fields, name: str, *, lowest: int) -> int | None:
    value = fields.get(name)
    return value if isinstance(value, int) and lowest <= value <= _LARGEST_INT else None


def _shortened(text: str | None) -> str | None:
    return text[: LONGEST_TEXT - 1] + "…" if text and len(text) > LONGEST_TEXT else text
