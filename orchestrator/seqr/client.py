"""The orchestrator's line to SEQR: one SOAP call, one outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

from orchestrator.seqr import answer
from orchestrator.seqr.characters import legible
from orchestrator.seqr.credentials import Credentials
from orchestrator.seqr.envelope import open_answer
from orchestrator.seqr.errors import Lost, NotSent, SeqrSetupError, Unintelligible
from orchestrator.seqr.exchange import Call
from orchestrator.seqr.mask import Mask
from orchestrator.seqr.messages import (
    Answered,
    Exchange,
    Invoice,
    IssuedInvoice,
    Outcome,
    PaymentStatus,
    ResultCode,
)
from orchestrator.seqr.rehearsal import rehearse
from orchestrator.seqr.request import Fields, client_context, client_reference, invoice_fields
from orchestrator.seqr.template import Letterhead
from orchestrator.seqr.transport import HttpTransport, Transport
from orchestrator.seqr.wsdl import SHIPPED_WSDL, Dialect, Wsdl

T = TypeVar("T")
Observer = Callable[[Exchange], None]
"""Told of every exchange when it is over, for metrics and logs."""

CLIENT_NAME = "seqr-orchestrator"

logger = logging.getLogger(__name__)


class SoapSeqr:
    """SEQR's Payment API over SOAP (implements :class:`orchestrator.seqr.messages.Seqr`).

    Put together from a dialect (what is said) and a transport (how it travels); :meth:`open` does so for the
    real thing. Every call is sent at most once. One client serves any number of calls at a time.
    """

    def __init__(
        self,
        dialect: Dialect,
        transport: Transport,
        credentials: Credentials,
        *,
        client_id: str = CLIENT_NAME,
        observe: Observer | None = None,
    ) -> None:
        self._dialect = dialect
        self._transport = transport
        self._letterhead = Letterhead(dialect.create, client_context(credentials, client_id))
        self._mask = Mask(credentials.password)
        self._observe = observe

    @classmethod
    def open(
        cls,
        endpoint: str,
        credentials: Credentials,
        *,
        wsdl: str | Path = SHIPPED_WSDL,
        timeout: float = 10,
        client_name: str = CLIENT_NAME,
        client_version: str | None = None,
        connections: int = 64,
        observe: Observer | None = None,
    ) -> SoapSeqr:
        """A client for ``endpoint``, whatever address the WSDL names. ``timeout`` is in seconds, for a whole
        call with connecting and waiting for one of the ``connections``.

        Needs no event loop and makes no connection: the first call does. Reading a WSDL from an address
        blocks, so with one of those run this in a thread. Raises SeqrSetupError.
        """
        if timeout <= 0 or connections < 1:
            raise SeqrSetupError("SEQR's timeout (ORCHESTRATOR_SEQR_TIMEOUT) must be more than 0 seconds.")
        client_id = f"{client_name} {client_version or _own_version()}"
        transport = HttpTransport(endpoint, timeout=timeout, connections=connections, user_agent=client_id)
        seqr = cls(Wsdl.load(wsdl), transport, credentials, client_id=client_id, observe=observe)
        rehearse(seqr._letterhead)
        return seqr

    async def send_invoice(self, invoice: Invoice) -> Outcome[IssuedInvoice]:
        """Ask SEQR to make an invoice. Never repeat an Unknown one for the same purchase: it may exist
        (facts, rule 7)."""
        return await self._call("sendInvoice", {"invoice": invoice_fields(invoice)}, answer.issued_invoice)

    async def payment_status(self, reference: str, version: int) -> Outcome[PaymentStatus]:
        """Ask how the invoice stands. ``version`` is 0 the first time, then the one last received (facts,
        rule 4). An answer PAID commits the payment at SEQR (facts, rule 1)."""
        fields = {"invoiceReference": legible(reference), "invoiceVersion": version}
        return await self._call(
            "getPaymentStatus", fields, lambda returned: answer.payment_status(returned, version)
        )

    async def cancel_invoice(self, reference: str) -> Outcome[None]:
        """Ask SEQR to cancel. 50 means that it is paid, 51 and 48 that it is being paid right now (facts,
        rule 6)."""
        fields = {"invoiceReference": legible(reference)}
        return await self._call("cancelInvoice", fields, answer.nothing)

    async def close(self) -> None:
        """Let go of the connections. A call after this is Busy."""
        await self._transport.close()

    async def _call(self, operation: str, fields: Fields, read: Callable[[Fields], T]) -> Outcome[T]:
        envelope = self._letterhead.write(operation, client_reference(), fields)
        outcome = await self._outcome(Call(operation, envelope, self._mask), envelope.sent, read)
        self._tell(outcome.exchange)
        return outcome

    async def _outcome(self, call: Call, message: bytes, read: Callable[[Fields], T]) -> Outcome[T]:
        try:
            came = await self._transport.post(message)
            call.came = came.body
            returned = self._dialect.read(call.operation, open_answer(call.operation, came))
            result = answer.result(returned)
            if result.code == ResultCode.SUCCESS:
                value = read(returned)
                return Answered(value, call.answered(_said(call.operation, value)))
        except NotSent as fault:
            return call.not_sent(fault.message)
        except (Lost, Unintelligible) as fault:
            return call.unknown(fault.message)
        return call.declined(result.code, result.description)

    def _tell(self, exchange: Exchange) -> None:
        if self._observe is None:
            return
        try:
            self._observe(exchange)
        except Exception:  # what SEQR did stands, whatever the listener makes of it
            logger.exception("The observer of SEQR's exchanges failed on %s", exchange.operation)


def _said(operation: str, value: object) -> str:
    match value:
        case IssuedInvoice(reference=reference):
            return f"SEQR made invoice {reference}."
        case PaymentStatus(status=status, version=number):
            return f"SEQR says {status} (version {number})."
        case _:
            return f"SEQR carried out {operation}."


def _own_version() -> str:
    try:
        return version(CLIENT_NAME)
    except PackageNotFoundError:
        return "unpackaged"
