"""The floor: the same SOAP calls through our own client alone, with no purchase around them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal

from bench.errors import BenchError
from bench.load import Limits, Run, closed_loop
from bench.shop import PASSWORD, PRINCIPAL
from orchestrator.money import Money
from orchestrator.seqr.client import SoapSeqr
from orchestrator.seqr.credentials import Credentials
from orchestrator.seqr.messages import Answered, Invoice, InvoiceRow, IssuedInvoice

WARM_UP = 20


class Floor:
    """Our SOAP client, driven from this process, which does nothing else meanwhile."""

    def __init__(self, seqr: SoapSeqr) -> None:
        self._seqr = seqr

    async def send_invoices(self, connections: int, limits: Limits) -> Run:
        """What createPurchase cannot do without."""
        numbers = range(limits.requests)
        return await closed_loop(self._send, numbers, connections, os.getpid(), limits.seconds)

    async def payment_statuses(self, connections: int, limits: Limits) -> Run:
        """What settling a purchase cannot do without."""
        reference = (await self._send(0)).reference

        async def ask(_: int) -> None:
            answer = await self._seqr.payment_status(reference, 0)
            if not isinstance(answer, Answered):
                raise BenchError(f"The stub did not tell about an invoice: {answer.description}")

        return await closed_loop(ask, range(limits.requests), connections, os.getpid(), limits.seconds)

    async def _send(self, number: int) -> IssuedInvoice:
        answer = await self._seqr.send_invoice(_invoice(number))
        if not isinstance(answer, Answered):
            raise BenchError(f"The stub did not take an invoice: {answer.description}")
        return answer.value


@asynccontextmanager
async def floor(endpoint: str) -> AsyncIterator[Floor]:
    """A warm client for the stub at ``endpoint``."""
    seqr = SoapSeqr.open(endpoint, Credentials("TERMINALID", PRINCIPAL, PASSWORD))
    try:
        found = Floor(seqr)
        await found.send_invoices(1, Limits(WARM_UP, 10))
        yield found
    finally:
        await seqr.close()


def _invoice(number: int) -> Invoice:
    """One row, as the purchases of the benchmark have."""
    price = Money(Decimal("149.00"), "SEK")
    row = InvoiceRow("Mug", Decimal(1), price, unit_price=price, tax_rate=Decimal(25), sku="MUG")
    return Invoice(
        client_invoice_id=f"floor-{number}",
        title="Benchmark",
        issue_date=datetime.now(UTC),
        rows=(row,),
        total=price,
        notification_url=f"http://127.0.0.1/seqr/notification/floor-{number}",
    )
