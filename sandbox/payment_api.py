"""SEQR's Payment API: what each SOAP operation does with the books.

Played here: sendInvoice, updateInvoice, getPaymentStatus and cancelInvoice. Every other operation of the WSDL
checks the credentials and answers 91 UNSUPPORTED_OPERATION.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.booking import BookedInvoice, Status
from sandbox.errors import MalformedRequest, Refusal, ResultCode, describe
from sandbox.invoice import read_invoice
from sandbox.ledger import Ledger
from sandbox.terminals import TERMINAL, Principal

Answer = dict[str, Any]

_LONGEST = {"channel": 40, "clientComment": 80, "clientReference": 32}
_REQUIRED = (
    "channel",
    "clientId",
    "clientReference",
    "clientRequestTimeout",
    "initiatorPrincipalId",
    "password",
)


class PaymentApi:
    """Performs operations on a ledger and answers in plain values for the ``return`` element."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._played: Mapping[str, Callable[[Principal, Any], Answer]] = {
            "sendInvoice": self._send_invoice,
            "updateInvoice": self._update_invoice,
            "getPaymentStatus": self._payment_status,
            "cancelInvoice": self._cancel_invoice,
        }

    def perform(self, operation: str, arguments: Any) -> Answer:
        """Do what was asked. A refusal is an answer too.

        Raises:
            MalformedRequest: the context lacks something or is too long (answered with a SOAP Fault).
        """
        try:
            caller = self._caller(arguments["context"])
            played = self._played.get(operation)
            if played is None:
                raise Refusal(ResultCode.UNSUPPORTED_OPERATION, f"{operation} is not played by this sandbox")
            if caller.type != TERMINAL:
                raise Refusal(
                    ResultCode.ACCESS_DENIED, f"{operation} needs a principal of the type {TERMINAL}"
                )
            return played(caller, arguments)
        except Refusal as refusal:
            return refused(refusal.code, refusal.message)

    def _caller(self, context: Any) -> Principal:
        _check_context(context)
        principal = context["initiatorPrincipalId"]
        return self._ledger.terminals.authenticate(
            principal["id"], principal["type"], principal["userId"], context["password"]
        )

    def _send_invoice(self, caller: Principal, arguments: Any) -> Answer:
        booked = self._ledger.issue(caller, read_invoice(arguments["invoice"]))
        return _success() | {"invoiceReference": booked.reference, "invoiceQRCode": booked.qr_code}

    def _update_invoice(self, caller: Principal, arguments: Any) -> Answer:
        self._ledger.update(caller, _reference(arguments), read_invoice(arguments["invoice"]))
        return _success()

    def _payment_status(self, caller: Principal, arguments: Any) -> Answer:
        booked = self._ledger.ask(caller, _reference(arguments), arguments["invoiceVersion"] or 0)
        answer = _success() | {"status": booked.status.value, "version": booked.version}
        if booked.ers_reference is not None:  # a reversed payment keeps its reference
            answer["ersReference"] = booked.ers_reference
        if booked.status is Status.PAID:
            answer["receipt"] = _receipt(booked)
        return answer

    def _cancel_invoice(self, caller: Principal, arguments: Any) -> Answer:
        self._ledger.cancel_for_shop(caller, _reference(arguments))
        return _success()


def refused(code: int, reason: str | None = None) -> Answer:
    """The ``return`` of a call that SEQR refuses."""
    return {"resultCode": int(code), "resultDescription": reason or describe(code)}


def _success() -> Answer:
    return {"resultCode": 0, "resultDescription": ResultCode.SUCCESS.name}


def _reference(arguments: Any) -> str:
    return arguments["invoiceReference"] or ""


def _receipt(booked: BookedInvoice) -> Answer:
    return {
        "terminalId": booked.terminal,
        "paymentDate": booked.paid_on,
        "clientInvoiceId": booked.invoice.client_invoice_id,
        "invoiceReference": booked.reference,
        "paymentReference": booked.payment_reference,
        "payerTerminalId": booked.payer,
        "receiverName": "SEQR sandbox shop",
        "invoice": booked.invoice.wire,
    }


def _check_context(context: Any) -> None:
    if context is None:
        raise MalformedRequest("the context is missing")
    missing = [name for name in _REQUIRED if context[name] is None]
    if missing:
        raise MalformedRequest(f"the context lacks {', '.join(missing)}")
    for name, longest in _LONGEST.items():
        if len(context[name] or "") > longest:
            raise MalformedRequest(f"{name} is longer than {longest} characters")
    if context["clientRequestTimeout"] != 0:
        raise MalformedRequest("clientRequestTimeout must be 0")
