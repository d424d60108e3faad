"""The two SOAP calls, from text to text."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.wire import Wire

_PASSWORD, _MASK = "12345678", "***"
_HEAD = (
    "<?xml version='1.0' encoding='utf-8'?>\n"
    '<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/"><soap-env:Body>'
    '<ns0:{operation} xmlns:ns0="http://external.interfaces.ers.seamless.com/"><context>'
    "<channel>ClientWS</channel><clientId>seqr-orchestrator 0.1.0</clientId>"
    "<clientReference>{key}</clientReference><clientRequestTimeout>0</clientRequestTimeout>"
    "<initiatorPrincipalId><id>benchmark_terminal</id><type>TERMINALID</type></initiatorPrincipalId>"
    f"<password>{_PASSWORD}</password></context>"
)
_TAIL = "</ns0:{operation}></soap-env:Body></soap-env:Envelope>"
_AMOUNT = "<currency>{currency}</currency><value>{price}</value>"
_INVOICE = (
    "<invoice><paymentMode>IMMEDIATE_DEBIT</paymentMode>"
    "<acknowledgmentMode>NO_ACKNOWLEDGMENT</acknowledgmentMode><issueDate>{at}</issueDate>"
    "<title>Benchmark</title><clientInvoiceId>{key}</clientInvoiceId><invoiceRows><invoiceRow>"
    "<itemDescription>{title}</itemDescription><itemQuantity>1</itemQuantity><itemSKU>{sku}</itemSKU>"
    f"<itemTaxRate>{{tax_rate}}</itemTaxRate><itemTotalAmount>{_AMOUNT}</itemTotalAmount>"
    f"<itemUnitPrice>{_AMOUNT}</itemUnitPrice></invoiceRow></invoiceRows><totalAmount>{_AMOUNT}</totalAmount>"
    "<notificationUrl>{address}</notificationUrl></invoice>"
)
_SEND = (_HEAD + _INVOICE + _TAIL).replace("{operation}", "sendInvoice")
_ASKED = "<invoiceReference>{reference}</invoiceReference><invoiceVersion>0</invoiceVersion>"
_ASK = (_HEAD + _ASKED + _TAIL).replace("{operation}", "getPaymentStatus")
_SENT = re.compile(r"<invoiceQRCode>([^<]+)</invoiceQRCode><invoiceReference>([^<]+)<")
_TOLD = re.compile(r"<ersReference>([^<]+)<.*<status>([^<]+)</status><version>(\d+)<")


@dataclass(frozen=True, slots=True)
class Product:
    """What is sold, as it stands on the invoice."""

    title: str
    price: int
    """In ten-thousandths."""
    currency: str
    tax_rate: int
    """In ten-thousandths of a percent."""
    sku: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it is kept."""

    operation: str
    started_at: datetime
    duration_ms: float
    request: str
    response: str


class Soap:
    """SEQR at the other end of a wire."""

    def __init__(self, wire: Wire, path: str) -> None:
        self._wire = wire
        self._path = path

    async def send_invoice(self, product: Product, key: str, address: str) -> tuple[Call, str, str]:
        """Returns the call, the invoice's reference and its QR code."""
        text = _SEND.format(
            key=key,
            at=f"{datetime.now(UTC).isoformat(timespec='milliseconds')[:-6]}Z",
            title=product.title,
            sku=product.sku,
            tax_rate=product.tax_rate // 10_000,
            currency=product.currency,
            price=f"{product.price // 10_000}.{product.price % 10_000 // 100:02d}",
            address=address,
        )
        call = await self._call("sendInvoice", text)
        qr_code, reference = _found(_SENT, call)
        return call, reference, qr_code

    async def payment_status(self, reference: str, key: str) -> tuple[Call, str, str, int]:
        """Returns the call, SEQR's reference of the payment, the status and the version."""
        call = await self._call("getPaymentStatus", _ASK.format(key=key, reference=reference))
        ers_reference, status, version = _found(_TOLD, call)
        return call, ers_reference, status, int(version)

    async def _call(self, operation: str, text: str) -> Call:
        began, at = time.perf_counter(), datetime.now(UTC)
        answer = await self._wire.post(self._path, text.encode())
        taken = (time.perf_counter() - began) * 1000
        return Call(operation, at, taken, text.replace(_PASSWORD, _MASK), answer.body.decode())


def _found(pattern: re.Pattern[str], call: Call) -> tuple[str, ...]:
    found = pattern.search(call.response)
    assert found is not None, call.response
    return found.groups()
