"""The faults that are switched on, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.errors import describe
from sandbox.faults import EVERY_OPERATION, FaultKind, Faults, NotificationFaults, OperationFault, PhoneFaults

OPERATIONS: Final[Mapping[str, str]] = {
    "sendInvoice": "Send an invoice",
    "getPaymentStatus": "Ask whether it is paid",
    "cancelInvoice": "Cancel an invoice",
    "updateInvoice": "Change an invoice",
    EVERY_OPERATION: "Every other call",
}
"""What a shop asks of SEQR, by the name of the SOAP operation."""

KINDS: Final[Mapping[FaultKind, str]] = {
    FaultKind.SLOW: "does it, only slowly",
    FaultKind.RESULT_CODE: "refuses, with a result code",
    FaultKind.SOAP_FAULT: "refuses, with a SOAP Fault",
    FaultKind.HTTP_500: "refuses, with an error page (HTTP 500)",
    FaultKind.CUT_BEFORE: "breaks off, and has not done it",
    FaultKind.CUT_AFTER: "breaks off, but has done it",
    FaultKind.GARBAGE: "does it, but answers nonsense",
    FaultKind.EMPTY: "does it, but answers nothing",
    FaultKind.STATUS: "tells an odd payment status",
}
"""What SEQR does instead of what it was asked."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is switched on. ``group`` and ``operation`` say what mends it."""

    words: str
    group: str
    operation: str = ""


def troubles(faults: Faults) -> list[Trouble]:
    """Everything that is switched on, except that SEQR is down as a whole."""
    calls = [Trouble(_call(name, fault), "operations", name) for name, fault in faults.operations.items()]
    notifications = ", ".join(_notifications(faults.notifications))
    payments = ", ".join(_payments(faults.phone))
    return [
        *([Trouble(f"Notifications: {notifications}", "notifications")] if notifications else []),
        *([Trouble(f"Payments: {payments}", "phone")] if payments else []),
        *calls,
    ]


def _call(name: str, fault: OperationFault) -> str:
    operation = OPERATIONS.get(name, name) + (f" ({name})" if name != EVERY_OPERATION else "")
    return f"{operation}: {', '.join(_befalls(fault))}"


def _befalls(fault: OperationFault) -> Iterator[str]:
    yield KINDS[fault.kind] + _particular(fault)
    if fault.latency:
        yield f"{fault.latency:g} s before the work"
    if fault.latency_after:
        yield f"{fault.latency_after:g} s before the answer"
    if fault.times:
        yield "the next call" if fault.times == 1 else f"the next {fault.times} calls"


def _particular(fault: OperationFault) -> str:
    match fault.kind:
        case FaultKind.RESULT_CODE:
            return f" ({fault.result_code} {describe(fault.result_code)})"
        case FaultKind.STATUS:
            return f" ({fault.status})"
    return ""


def _notifications(faults: NotificationFaults) -> Iterator[str]:
    usual = NotificationFaults()
    if faults.lost:
        yield "lost"
    if faults.late:
        yield f"{faults.late:g} s late"
    if faults.repeated:
        yield "sent twice" if faults.repeated == 1 else f"sent {faults.repeated + 1} times"
    if faults.early:
        yield "one too early"
    if (faults.retries, faults.retry_seconds) != (usual.retries, usual.retry_seconds):
        yield f"tried again {faults.retries} times, every {faults.retry_seconds:g} s"


def _payments(faults: PhoneFaults) -> Iterator[str]:
    if faults.refused:
        yield "refused after the PIN"
    if faults.processing_seconds:
        yield f"in progress for {faults.processing_seconds:g} s"
