"""What a call says, in SEQR's names: the context and the invoice, as certification wants them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from uuid_utils import uuid4

from orchestrator.money import Money
from orchestrator.seqr.characters import legible
from orchestrator.seqr.credentials import Credentials
from orchestrator.seqr.messages import Invoice, InvoiceRow

Fields = Mapping[str, object]
"""Arguments by their names in the WSDL: strings, Decimals, ints, further Fields and lists of them.
What is None is left out."""

CHANNEL = "ClientWS"


def client_context(credentials: Credentials, client_id: str) -> Fields:
    """The ClientContext, but for the clientReference, which each call has of its own."""
    return {
        "channel": CHANNEL,
        "clientId": legible(client_id),
        "clientRequestTimeout": 0,
        "initiatorPrincipalId": {
            "id": legible(credentials.principal_id),
            "type": legible(credentials.principal_type),
            "userId": _text(credentials.user_id),
        },
        "password": legible(credentials.password),
    }


def client_reference() -> str:
    """A clientReference: 32 letters and digits, new every time."""
    return uuid4().hex


def invoice_fields(invoice: Invoice) -> Fields:
    """The invoice: paid at once, and no loyalty step for which the phone would wait."""
    return {
        "paymentMode": "IMMEDIATE_DEBIT",
        "acknowledgmentMode": "NO_ACKNOWLEDGMENT",
        "issueDate": _instant(invoice.issue_date),
        "title": legible(invoice.title),
        "clientInvoiceId": legible(invoice.client_invoice_id),
        "invoiceRows": {"invoiceRow": [_row_fields(row) for row in invoice.rows]},
        "totalAmount": _amount(invoice.total),
        "cashierId": _text(invoice.cashier_id),
        "footer": _text(invoice.footer),
        "backURL": _text(invoice.back_url),
        "notificationUrl": legible(invoice.notification_url),
    }


def _row_fields(row: InvoiceRow) -> Fields:
    return {
        "itemDescription": legible(row.description),
        "itemDiscount": row.discount and _amount(row.discount),
        "itemEAN": _text(row.ean),
        "itemQuantity": row.quantity,
        "itemSKU": _text(row.sku),
        "itemTaxRate": row.tax_rate,
        "itemTotalAmount": _amount(row.total),
        "itemUnit": _text(row.unit),
        "itemUnitPrice": row.unit_price and _amount(row.unit_price),
    }


def _amount(money: Money) -> Fields:
    return {"currency": money.currency, "value": money.value}


def _text(text: str | None) -> str | None:
    """An empty optional text is left out: SEQR reads an empty EAN as a wrong one."""
    return legible(text) if text else None


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
