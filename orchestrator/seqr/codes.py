"""The names of SEQR's result codes, for people (facts, "Result codes")."""

from __future__ import annotations

from types import MappingProxyType

RESULT_CODE_NAMES = MappingProxyType(
    {
        0: "SUCCESS",
        2: "REPORT_NOT_READY",
        11: "REJECTED_AMOUNT",
        20: "AUTHENTICATION_FAILED",
        21: "ACCESS_DENIED",
        23: "INVALID_ERS_REFERENCE",
        29: "INVALID_INITIATOR_PRINCIPAL_ID",
        33: "INVALID_INITIATOR_PRINCIPAL_STATE",
        37: "INITIATOR_PRINCIPAL_NOT_FOUND",
        48: "PAYMENT_IN_PROGRESS",
        49: "INVALID_INVOICE_DATA",
        50: "CANNOT_CANCEL_PAID_INVOICE",
        51: "CANNOT_CANCEL_INVOICE_IN_PROGRESS",
        53: "INVALID_SEQR_ID",
        54: "INVALID_INVOICE_REFERENCE",
        64: "INVALID_NOTIFICATION_URL",
        90: "SYSTEM_ERROR",
        91: "UNSUPPORTED_OPERATION",
        93: "SYSTEM_BUSY",
        94: "SERVICE_UNAVAILABLE",
        95: "INVOICE_ALREADY_CANCELED",
        96: "INVOICE_STATE_NOT_RESERVED",
        97: "RESELLER_NOT_ALLOWED_TO_DO_REFUND",
        98: "SUM_OF_REFUNDS_CAN_NOT_BE_MORE_THAN_ORIGINAL_TRANSACTION",
        99: "RECEIVER_ACCOUNT_DOES_NOT_ALLOW_REFUNDS",
    }
)


def described(code: int, description: str | None) -> str:
    """``49 INVALID_INVOICE_DATA: the total is wrong`` from whatever SEQR sent and we know. No full stop."""
    words = (description or "").rstrip(". ")
    name = RESULT_CODE_NAMES.get(code)
    if name and words.startswith(name):
        return f"{code} {words}"
    head = f"{code} {name}" if name else str(code)
    return f"{head}: {words}" if words else head
