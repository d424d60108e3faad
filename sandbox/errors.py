"""What can go wrong in the sandbox, and SEQR's result codes."""

from __future__ import annotations

from enum import IntEnum


class ResultCode(IntEnum):
    """SEQR's result codes (facts, "Result codes"); the name is the resultDescription."""

    SUCCESS = 0
    REPORT_NOT_READY = 2
    REJECTED_AMOUNT = 11
    AUTHENTICATION_FAILED = 20
    ACCESS_DENIED = 21
    INVALID_ERS_REFERENCE = 23
    INVALID_INITIATOR_PRINCIPAL_ID = 29
    INVALID_INITIATOR_PRINCIPAL_STATE = 33
    INITIATOR_PRINCIPAL_NOT_FOUND = 37
    PAYMENT_IN_PROGRESS = 48
    INVALID_INVOICE_DATA = 49
    CANNOT_CANCEL_PAID_INVOICE = 50
    CANNOT_CANCEL_INVOICE_IN_PROGRESS = 51
    INVALID_SEQR_ID = 53
    INVALID_INVOICE_REFERENCE = 54
    INVALID_NOTIFICATION_URL = 64
    SYSTEM_ERROR = 90
    UNSUPPORTED_OPERATION = 91
    SYSTEM_BUSY = 93
    SERVICE_UNAVAILABLE = 94
    INVOICE_ALREADY_CANCELED = 95
    INVOICE_STATE_NOT_RESERVED = 96
    RESELLER_NOT_ALLOWED_TO_DO_REFUND = 97
    SUM_OF_REFUNDS_CAN_NOT_BE_MORE_THAN_ORIGINAL_TRANSACTION = 98
    RECEIVER_ACCOUNT_DOES_NOT_ALLOW_REFUNDS = 99


_NAMES = {int(code): code.name for code in ResultCode}


def describe(code: int) -> str:
    """The resultDescription of a code; codes that facts does not name are ``UNKNOWN``."""
    return _NAMES.get(code, "UNKNOWN")


class SandboxError(Exception):
    """The sandbox could not do what was asked. ``retryable``: the same again may succeed later."""

    retryable = False

    @property
    def message(self) -> str:
        """What happened, as one sentence."""
        return str(self.args[0]) if self.args else (self.__doc__ or "").strip()


class Refusal(SandboxError):
    """SEQR says no, with a result code and the reason in words."""

    def __init__(self, code: ResultCode, reason: str) -> None:
        super().__init__(f"{code.name}: {reason}")
        self.code = code
        self.reason = reason
        self.retryable = code in TRANSIENT


class MalformedRequest(SandboxError):
    """The SOAP message cannot be understood; answered with a SOAP Fault."""


TRANSIENT = frozenset(
    {
        ResultCode.PAYMENT_IN_PROGRESS,
        ResultCode.CANNOT_CANCEL_INVOICE_IN_PROGRESS,
        ResultCode.SYSTEM_ERROR,
        ResultCode.SYSTEM_BUSY,
        ResultCode.SERVICE_UNAVAILABLE,
    }
)
