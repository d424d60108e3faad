"""Our own SOAP client alone: what createPurchase takes above it is the orchestrator's own."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from decimal import Decimal

from bench.errors import BenchError
from bench.load import Limits, closed_loop, percentile
from bench.shop import PASSWORD, PRINCIPAL
from orchestrator.money import Money
from orchestrator.seqr.client import SoapSeqr
from orchestrator.seqr.credentials import Credentials
from orchestrator.seqr.messages import Answered, Invoice, InvoiceRow

_WARM_UP = 20


async def send_invoice_ms(endpoint: str, limits: Limits) -> float:
    """The median of sendInvoice, one after the other. Raises BenchError."""
    seqr = SoapSeqr.open(endpoint, Credentials("TERMINALID", PRINCIPAL, PASSWORD))

    async def send(number: int) -> None:
        answer = await seqr.send_invoice(_invoice(number))
        if not isinstance(answer, Answered):
            raise BenchError(f"The stub did not take an invoice: {answer.description}")

    try:
        await closed_loop(send, range(_WARM_UP), 1, os.getpid())
        run = await closed_loop(send, range(limits.requests), 1, os.getpid(), limits.seconds)
        return percentile(run.latencies, 50)
    finally:
        await seqr.close()


def _invoice(number: int) -> Invoice:
    """One row, as the purchases of the benchmark have."""
    price = Money(Decimal("149.00"), "SEK")
    row = InvoiceRow("Mug", Decimal(1), price, unit_price=price, tax_rate=Decimal(25), sku="MUG")
    return Invoice(
        client_invoice_id=f"alone-{number}",
        title="Benchmark",
        issue_date=datetime.now(UTC),
        rows=(row,),
        total=price,
        notification_url=f"http://127.0.0.1/seqr/notification/alone-{number}",
    )
