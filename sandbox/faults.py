"""What may go wrong between SEQR and a shop, to be set by tests and on the panel.

Example::

    sandbox.faults.set("sendInvoice", OperationFault(FaultKind.CUT_AFTER, times=1))
    sandbox.faults.notifications = NotificationFaults(lost=True)
    sandbox.faults.clear()
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from sandbox.errors import SandboxError

EVERY_OPERATION = "*"


class UnknownFault(SandboxError):
    """There is no such fault setting."""


class FaultKind(StrEnum):
    """How a call goes wrong. In brackets: whether SEQR still did what it was asked."""

    SLOW = "slow"
    """Nothing but the latency (done)."""
    RESULT_CODE = "result_code"
    """The answer carries ``result_code`` (not done)."""
    SOAP_FAULT = "soap_fault"
    """A SOAP Fault with HTTP status 500 (not done)."""
    HTTP_500 = "http_500"
    """HTTP status 500 with a page of HTML (not done)."""
    GARBAGE = "garbage"
    """HTTP status 200 with a body that is no XML (done)."""
    EMPTY = "empty"
    """HTTP status 200 with no body (done)."""
    CUT_BEFORE = "cut_before"
    """The connection is closed in the middle of the answer (not done)."""
    CUT_AFTER = "cut_after"
    """The connection is closed in the middle of the answer (done)."""
    STATUS = "status"
    """getPaymentStatus answers with ``status``, for example one that nobody has heard of (not a commit)."""


NOT_DONE = frozenset({FaultKind.RESULT_CODE, FaultKind.SOAP_FAULT, FaultKind.HTTP_500, FaultKind.CUT_BEFORE})


@dataclass(frozen=True, slots=True)
class OperationFault:
    """What befalls the calls of one SOAP operation.

    ``latency`` in seconds comes before the work, ``latency_after`` between the work and the answer.
    ``times``: for how many calls it holds; None until cleared.
    """

    kind: FaultKind = FaultKind.SLOW
    latency: float = 0.0
    latency_after: float = 0.0
    result_code: int = 90
    status: str = "UNHEARD_OF"
    times: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", FaultKind(self.kind))
        if self.latency < 0 or self.latency_after < 0 or (self.times is not None and self.times < 1):
            raise UnknownFault("latency must be 0 or more and times 1 or more")

    @property
    def work_is_done(self) -> bool:
        """Whether SEQR does what it was asked in spite of the fault."""
        return self.kind not in NOT_DONE


@dataclass(frozen=True, slots=True)
class NotificationFaults:
    """What befalls the POST to notificationUrl (facts, rule 2). Times in seconds."""

    lost: bool = False
    late: float = 0.0
    repeated: int = 0
    """How often it comes again after the first time."""
    early: bool = False
    """One more comes while sendInvoice has not been answered yet."""
    retries: int = 3
    """How often SEQR tries again when it was not answered with 200."""
    retry_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class PhoneFaults:
    """What befalls the payment itself."""

    processing_seconds: float = 0.0
    """How long the payment is in progress after the PIN (codes 48 and 51 meanwhile)."""
    refused: bool = False
    """The payment is refused; the invoice becomes FAILED."""


OUTAGE = OperationFault(FaultKind.RESULT_CODE, result_code=94)
"""What every call gets while SEQR is down: SERVICE_UNAVAILABLE, and nothing is done."""

Setting = TypeVar("Setting", OperationFault, NotificationFaults, PhoneFaults)


@dataclass(slots=True)
class Faults:
    """All fault settings of one sandbox. Everything is well by default."""

    operations: dict[str, OperationFault] = field(default_factory=dict)
    """By name of the SOAP operation; ``*`` for every operation without one of its own."""
    notifications: NotificationFaults = field(default_factory=NotificationFaults)
    phone: PhoneFaults = field(default_factory=PhoneFaults)
    down: bool = False
    """SEQR is down for shops: it does nothing that they ask, and sends no notification."""

    def set(self, operation: str, fault: OperationFault) -> None:
        """Let calls of an operation go wrong, in place of what was set for it before."""
        self.operations[operation] = fault

    def clear(self, operation: str | None = None) -> None:
        """Mend one operation, or everything."""
        if operation is not None:
            self.operations.pop(operation, None)
            return
        self.operations.clear()
        self.notifications = NotificationFaults()
        self.phone = PhoneFaults()
        self.down = False

    def take(self, operation: str) -> OperationFault | None:
        """The fault for the call that has just come in; counts down ``times``."""
        if self.down:
            return OUTAGE
        name = operation if operation in self.operations else EVERY_OPERATION
        fault = self.operations.get(name)
        if fault is not None and fault.times is not None:
            self._count_down(name, fault, fault.times)
        return fault

    def _count_down(self, name: str, fault: OperationFault, times: int) -> None:
        if times > 1:
            self.operations[name] = replace(fault, times=times - 1)
        else:
            del self.operations[name]

    def as_json(self) -> dict[str, Any]:
        """The settings as plain values, the shape that ``update`` takes."""
        return {
            "operations": {name: asdict(fault) for name, fault in self.operations.items()},
            "notifications": asdict(self.notifications),
            "phone": asdict(self.phone),
            "down": self.down,
        }

    def update(self, settings: Mapping[str, Any]) -> None:
        """Take over settings of the shape of ``as_json``; parts that are not named stay.

        Raises:
            UnknownFault: a name or a value that does not exist; nothing is changed then.
        """
        unknown = set(settings) - {"operations", "notifications", "phone", "down"}
        if unknown:
            raise UnknownFault(f"there is no fault setting {sorted(unknown)}")
        of_operations = _object(settings.get("operations", {}), "operations")
        operations = {name: _made(OperationFault(), given) for name, given in of_operations.items()}
        notifications = _made(self.notifications, settings.get("notifications", {}))
        phone = _made(self.phone, settings.get("phone", {}))
        down = settings.get("down", self.down)
        if not isinstance(down, bool):
            raise UnknownFault("down must be true or false")
        self.operations.update(operations)
        self.notifications, self.phone, self.down = notifications, phone, down


def _object(given: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise UnknownFault(f"{name} must be an object")
    return given


def _made(base: Setting, given: Any) -> Setting:
    """A copy of ``base`` with the given values, which may be text as forms send it."""
    given = _object(given, type(base).__name__)
    unknown = set(given) - {known.name for known in fields(base)}
    if unknown:
        raise UnknownFault(f"{type(base).__name__} has no {sorted(unknown)}")
    try:
        return TypeAdapter(type(base)).validate_python({**asdict(base), **given})
    except ValidationError as error:
        first = error.errors()[0]
        raise UnknownFault(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
