"""The sandbox's JSON API, for tests and scripts in other processes. All under ``{base}/api``.

| call | answer |
|---|---|
| ``GET /invoices`` | ``{"items": [invoice]}``, the newest first |
| ``GET /invoices/{reference}`` | one invoice with its events |
| ``POST /invoices/{reference}/pay`` | the customer pays; the invoice |
| ``POST /invoices/{reference}/cancel`` | the customer cancels; the invoice |
| ``POST /invoices/{reference}/fail`` | the payment is refused; the invoice |
| ``GET /faults``, ``PUT /faults``, ``DELETE /faults`` | the settings; PUT takes any part of them |
| ``POST /scan`` ``{"code": "...", "customer": {"name": ...}}`` | ``{"invoice_reference": "..."}`` |

Errors are ``{"error": "...", "message": "..."}``: 404 for an unknown invoice, 409 where its state does not
allow the call, 422 for wrong input, 502 when the shop refused (``error`` is then its errorCode).
Times are ISO 8601 in UTC, durations are seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.booking import BookedInvoice
from sandbox.checkout import (
    CheckoutRefused,
    Customer,
    InstantCheckout,
    InvoiceCode,
    UnreadableCode,
    read_code,
)
from sandbox.errors import Refusal, ResultCode, SandboxError
from sandbox.faults import Faults
from sandbox.ledger import Ledger

Handler = Callable[[Request], Any]


class MalformedInput(SandboxError):
    """The request's body is not a JSON object."""


class Api:
    """The handlers, on one sandbox's books and faults."""

    def __init__(self, ledger: Ledger, faults: Faults, checkout: InstantCheckout) -> None:
        self._ledger = ledger
        self._faults = faults
        self._checkout = checkout

    def routes(self) -> list[Route]:
        """Everything under ``/api``."""
        one = "/api/invoices/{reference}"
        return [
            Route("/api/invoices", self.invoices),
            Route(one, self.invoice),
            Route(one + "/pay", self._acting(self._ledger.pay), methods=["POST"]),
            Route(one + "/cancel", self._acting(self._ledger.cancel), methods=["POST"]),
            Route(one + "/fail", self._acting(self._ledger.fail), methods=["POST"]),
            Route("/api/faults", self.faults, methods=["GET", "PUT", "DELETE"]),
            Route("/api/scan", self.scan, methods=["POST"]),
        ]

    async def invoices(self, request: Request) -> Response:
        """Every invoice."""
        return JSONResponse({"items": [invoice_json(booked) for booked in self._ledger.invoices]})

    async def invoice(self, request: Request) -> Response:
        """One invoice."""
        try:
            booked = self._ledger.invoice(request.path_params["reference"])
        except Refusal as refusal:
            return _refused(refusal)
        events = [{"on": e.on.isoformat(), "name": e.name, "detail": e.detail} for e in booked.events]
        return JSONResponse(invoice_json(booked) | {"events": events})

    def _acting(self, act: Callable[[str], BookedInvoice]) -> Handler:
        async def handler(request: Request) -> Response:
            try:
                return JSONResponse(invoice_json(act(request.path_params["reference"])))
            except Refusal as refusal:
                return _refused(refusal)

        return handler

    async def faults(self, request: Request) -> Response:
        """Read, set or clear the faults."""
        try:
            if request.method == "PUT":
                self._faults.update(await _object(request))
            elif request.method == "DELETE":
                self._faults.clear()
        except SandboxError as error:
            return _error(422, "invalid_request", error.message)
        return JSONResponse(self._faults.as_json())

    async def scan(self, request: Request) -> Response:
        """Play a scan and the confirmation of the address; the invoice to be paid."""
        try:
            given = await _object(request)
            code = read_code(str(given.get("code", "")))
            reference = await self._resolve(code, Customer.read(given.get("customer") or {}))
        except CheckoutRefused as refused:
            return _error(502, refused.code, refused.message)
        except (MalformedInput, UnreadableCode) as error:
            return _error(422, "invalid_request", error.message)
        return JSONResponse({"invoice_reference": reference})

    async def _resolve(self, code: Any, customer: Customer) -> str:
        if isinstance(code, InvoiceCode):
            return code.reference
        return await self._checkout.create_purchase(code, customer)


def invoice_json(booked: BookedInvoice) -> dict[str, Any]:
    """An invoice as the API shows it."""
    total = booked.invoice.total
    return {
        "reference": booked.reference,
        "terminal": booked.terminal,
        "title": booked.invoice.title,
        "client_invoice_id": booked.invoice.client_invoice_id,
        "amount": {"currency": total.currency, "value": str(total.value)},
        "status": booked.status.value,
        "version": booked.version,
        "in_progress": booked.in_progress,
        "cause": booked.cause.value if booked.cause else None,
        "ers_reference": booked.ers_reference,
        "issued_on": booked.issued_on.isoformat(),
        "paid_on": booked.paid_on.isoformat() if booked.paid_on else None,
        "asks": booked.asks,
        "asks_after_payment": booked.asks_after_payment,
        "seconds_to_first_ask": booked.seconds_to_first_ask,
        "committed": booked.committed,
        "reversed": booked.reversed,
        "notification_url": booked.invoice.notification_url,
    }


async def _object(request: Request) -> dict[str, Any]:
    try:
        given = json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise MalformedInput("the body is not JSON") from error
    if not isinstance(given, dict):
        raise MalformedInput("the body must be a JSON object")
    return given


def _refused(refusal: Refusal) -> Response:
    status = 404 if refusal.code is ResultCode.INVALID_INVOICE_REFERENCE else 409
    return _error(status, refusal.code.name, refusal.reason)


def _error(status: int, error: str, message: str) -> Response:
    return JSONResponse({"error": error, "message": message}, status)
