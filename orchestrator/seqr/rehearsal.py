"""Say every line once before the curtain.

So a WSDL that cannot carry our calls is found at the start, not when a customer waits.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from orchestrator.money import Money
from orchestrator.seqr.errors import SeqrSetupError
from orchestrator.seqr.messages import Invoice, InvoiceRow
from orchestrator.seqr.request import Fields, client_reference, invoice_fields
from orchestrator.seqr.template import Letterhead

_PRICE = Money(Decimal(1), "SEK")
EVERY_FIELD = Invoice(
    client_invoice_id="1",
    title="Rehearsal",
    issue_date=datetime(2015, 3, 6, tzinfo=UTC),
    rows=(
        InvoiceRow("Thing", Decimal(1), _PRICE, _PRICE, _PRICE, Decimal(25), sku="1", ean="1", unit="PIECE"),
    ),
    total=_PRICE,
    notification_url="http://localhost/",
    back_url="http://localhost/",
    cashier_id="1",
    footer="Bye",
)
"""An invoice with nothing left out."""


def rehearse(letterhead: Letterhead) -> None:
    """Write, and send nowhere, each call with every field we may ever fill. Raises SeqrSetupError."""
    lines: dict[str, Fields] = {
        "sendInvoice": {"invoice": invoice_fields(EVERY_FIELD)},
        "getPaymentStatus": {"invoiceReference": "1", "invoiceVersion": 0},
        "cancelInvoice": {"invoiceReference": "1"},
    }
    for operation, fields in lines.items():
        try:
            letterhead.write(operation, client_reference(), fields)
        except Exception as fault:  # zeep raises what it likes on fields that do not fit
            raise SeqrSetupError(
                f"SEQR's WSDL cannot carry our {operation}: {fault}. Set ORCHESTRATOR_SEQR_WSDL to "
                "a newer one, or leave it out to use the one that ships with the project."
            ) from fault
