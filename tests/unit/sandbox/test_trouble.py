"""Faults in plain words."""

from __future__ import annotations

import pytest

from sandbox.faults import FaultKind, Faults, NotificationFaults, OperationFault, PhoneFaults
from sandbox.trouble import KINDS, troubles


def words(faults: Faults) -> list[str]:
    return [trouble.words for trouble in troubles(faults)]


def test_nothing_is_wrong_by_default() -> None:
    assert troubles(Faults()) == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            OperationFault(FaultKind.RESULT_CODE, result_code=93),
            "refuses, with a result code (93 SYSTEM_BUSY)",
        ),
        (OperationFault(FaultKind.STATUS, status="ODD"), "tells an odd payment status (ODD)"),
        (
            OperationFault(latency=0.5, latency_after=2),
            "does it, only slowly, 0.5 s before the work, 2 s before the answer",
        ),
        (OperationFault(FaultKind.CUT_AFTER, times=1), "breaks off, but has done it, the next call"),
        (OperationFault(FaultKind.EMPTY, times=3), "does it, but answers nothing, the next 3 calls"),
    ],
)
def test_calls(fault: OperationFault, said: str) -> None:
    assert words(Faults({"sendInvoice": fault})) == [f"Send an invoice (sendInvoice): {said}"]
    assert words(Faults({"*": fault})) == [f"Every other call: {said}"]
    assert words(Faults({"refundPayment": fault}))[0].startswith("refundPayment")


def test_every_kind_of_fault_has_words() -> None:
    assert set(KINDS) == set(FaultKind)


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        (NotificationFaults(lost=True), "lost"),
        (NotificationFaults(late=2.5, repeated=1), "2.5 s late, sent twice"),
        (NotificationFaults(repeated=2, early=True), "sent 3 times, one too early"),
        (NotificationFaults(retries=0), "tried again 0 times, every 1 s"),
    ],
)
def test_notifications(faults: NotificationFaults, said: str) -> None:
    assert words(Faults(notifications=faults)) == [f"Notifications: {said}"]


def test_payments() -> None:
    faults = Faults(phone=PhoneFaults(processing_seconds=3, refused=True))

    assert words(faults) == ["Payments: refused after the PIN, in progress for 3 s"]
