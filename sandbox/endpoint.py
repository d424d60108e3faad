"""The SOAP service as an HTTP endpoint, with the faults that were set for it."""

from __future__ import annotations

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.errors import MalformedRequest
from sandbox.faults import FaultKind, Faults, OperationFault
from sandbox.ledger import Ledger
from sandbox.notification import Notifier
from sandbox.payment_api import Answer, PaymentApi, refused
from sandbox.soap import Wire, fault

log = logging.getLogger("sandbox.soap")
_WELL = OperationFault()


class CutResponse(Response):
    """Promises a body, sends a piece of it, and stops: the server then closes the connection.

    Leaving a response unfinished is the one way to cut a connection that ASGI offers on every server.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/xml; charset=UTF-8"), (b"content-length", b"4096")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"<?xml ", "more_body": True})


class SoapEndpoint:
    """POST takes an envelope; GET with ``?wsdl`` gives the WSDL."""

    def __init__(self, wire: Wire, ledger: Ledger, faults: Faults, notifier: Notifier, address: str) -> None:
        self._wire = wire
        self._ledger = ledger
        self._api = PaymentApi(ledger)
        self._faults = faults
        self._notifier = notifier
        self._address = address

    async def describe(self, request: Request) -> Response:
        """The WSDL, with this service's address."""
        if "wsdl" not in {name.lower() for name in request.query_params}:
            return PlainTextResponse(
                f"SEQR's SOAP service, played. POST here; the WSDL: {self._address}?wsdl\n"
            )
        return Response(self._wire.wsdl(self._address), media_type="text/xml")

    async def answer(self, request: Request) -> Response:
        """One SOAP call."""
        try:
            operation, arguments = self._wire.read(await request.body())
            set_fault = self._faults.take(operation) or _WELL
            await asyncio.sleep(set_fault.latency)
            if not set_fault.work_is_done:
                return self._failed(operation, set_fault)
            outcome = await self._perform(operation, arguments, set_fault)
        except MalformedRequest as error:
            log.info("refused a malformed SOAP message: %s", error.message)
            return _xml(fault("Client", error.message), 500)
        await asyncio.sleep(set_fault.latency_after)
        return self._answered(operation, outcome, set_fault)

    async def _perform(self, operation: str, arguments: object, set_fault: OperationFault) -> Answer:
        if set_fault.kind is FaultKind.STATUS and operation == "getPaymentStatus":
            return {"resultCode": 0, "resultDescription": "SUCCESS", "status": set_fault.status, "version": 1}
        outcome = self._api.perform(operation, arguments)
        if operation == "sendInvoice" and self._faults.notifications.early and outcome["resultCode"] == 0:
            await self._notifier.deliver(self._ledger.invoice(outcome["invoiceReference"]))
        return outcome

    def _answered(self, operation: str, outcome: Answer, set_fault: OperationFault) -> Response:
        match set_fault.kind:
            case FaultKind.CUT_AFTER:
                return CutResponse()
            case FaultKind.EMPTY:
                return _xml(b"")
            case FaultKind.GARBAGE:
                return _xml(b"<html><body>It works!</bod")
        return self._written(operation, outcome)

    def _failed(self, operation: str, set_fault: OperationFault) -> Response:
        match set_fault.kind:
            case FaultKind.CUT_BEFORE:
                return CutResponse()
            case FaultKind.SOAP_FAULT:
                return _xml(fault("Server", "java.lang.NullPointerException"), 500)
            case FaultKind.HTTP_500:
                return Response("<html><h1>Internal Server Error</h1></html>", 500, media_type="text/html")
        return self._written(operation, refused(set_fault.result_code))

    def _written(self, operation: str, outcome: Answer) -> Response:
        if operation == "getPaymentStatus":
            outcome = {"version": 0} | outcome
        return _xml(self._wire.write(operation, outcome))


def _xml(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="text/xml")
