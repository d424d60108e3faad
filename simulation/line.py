"""A process' line to SEQR: the real interface, over a network that does what networks do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar, cast

from orchestrator.seqr.messages import (
    TRANSIENT_CODES,
    Answered,
    Busy,
    Exchange,
    Invoice,
    IssuedInvoice,
    Outcome,
    PaymentStatus,
    Refused,
    ResultCode,
    Unknown,
    Verdict,
)
from orchestrator.settings import Settings
from simulation.bank import Bank
from simulation.world import World

if TYPE_CHECKING:
    from simulation.process import Process

T = TypeVar("T")

_LATE = 30.0
_RARE = 4.0
"""What changes something at SEQR is called for more seldom than what asks, and matters more."""

_UNKNOWN_STATUS = "UNDER_REVIEW"
_REFUSALS = {"sendInvoice": (49, 20), "getPaymentStatus": (54, 21), "cancelInvoice": (21, 20)}
"""What SEQR refuses with for no reason that lasts. 54 for a cancel would be a lie that loses money."""


@dataclass(frozen=True, slots=True)
class _Call:
    operation: str
    purchase_id: str
    about: str
    started_at: datetime


class SeqrLine:
    """SEQR's Payment API as one process reaches it (implements ``orchestrator.seqr.messages.Seqr``)."""

    def __init__(self, world: World, bank: Bank, process: Process, settings: Settings) -> None:
        self._world = world
        self._bank = bank
        self._process = process
        self._timeout = settings.seqr_timeout

    async def send_invoice(self, invoice: Invoice) -> Outcome[IssuedInvoice]:
        def work() -> IssuedInvoice:
            booked = self._bank.issue(invoice)
            return IssuedInvoice(booked.reference, f"HTTP://SEQR.SE/R{booked.reference}")

        purchase_id = invoice.notification_url.rpartition("/")[2].partition(".")[0]
        call = _Call("sendInvoice", purchase_id, invoice.client_invoice_id, self._process.clock())
        return await self._carry(call, work)

    async def payment_status(self, reference: str, version: int) -> Outcome[PaymentStatus]:
        purchase_id = self._bank.about_to_ask(reference)
        call = _Call("getPaymentStatus", purchase_id, f"{reference} v{version}", self._process.clock())
        return await self._carry(call, lambda: self._bank.ask(reference, version))

    async def cancel_invoice(self, reference: str) -> Outcome[None]:
        def work() -> int | None:
            return self._bank.cancel(reference) or None

        purchase_id = self._bank.invoices[reference].purchase_id
        call = _Call("cancelInvoice", purchase_id, reference, self._process.clock())
        answer: Outcome[int | None] = await self._carry(call, work)
        if isinstance(answer, Answered):
            return self._decided(call, answer.value)
        return answer

    async def close(self) -> None:
        """Nothing is open."""

    async def _carry(self, call: _Call, work: Callable[[], T]) -> Outcome[T]:
        """One call with all that may happen to it."""
        world, process = self._world, self._process
        await process.gate()
        fate = world.fate("SEQR", 1.0 if call.operation == "getPaymentStatus" else _RARE)
        if fate is not None:
            world.trouble.strike(f"SEQR: {fate}", world.loop.elapsed, call.purchase_id)
        note = f"{call.operation} {call.about}{f'  [{fate}]' if fate else ''}"
        world.step("call to SEQR", process.name, note)
        await process.spend(self._way(slow=fate == "slow there"))
        lost: Outcome[T] | None = await self._break_before(call, fate, work)
        if lost is not None:
            return lost
        value = work()
        if fate == "repeated":
            value = world.random.choice((value, work()))
        if fate == "crash after the work":
            process.crash()
        await process.spend(self._way(slow=fate == "slow back"))
        if fate == "lost after the work":
            return await self._unknown(call)
        return self._answered(call, self._twisted(fate, value))

    def _way(self, *, slow: bool) -> float:
        """Seconds for one way."""
        if slow:
            return self._world.random.uniform(1, 6)
        return (
            self._world.random.uniform(1, 2.5)
            if "SEQR's speed" in self._world.away
            else self._world.latency()
        )

    async def _break_before(
        self, call: _Call, fate: str | None, work: Callable[[], object]
    ) -> Outcome[T] | None:
        """What becomes of a call that SEQR does not work on in its time; None if it does."""
        if fate == "crash before the work":
            self._process.crash()
            await self._process.gate()
        if fate == "no connection" or "SEQR" in self._world.away:
            return Busy(None, "no connection", self._exchange(call, Verdict.BUSY))
        if fate == "worked late":
            self._world.later(self._world.random.uniform(0, _LATE), lambda: self._work_late(work))
        if fate in ("lost before the work", "worked late") or "SEQR's voice" in self._world.away:
            return await self._unknown(call)
        if fate == "busy":
            code = self._world.random.choice((90, 93, 94))
            return Busy(code, "busy", self._exchange(call, Verdict.BUSY, code))
        if fate == "refused":
            code = self._world.random.choice(_REFUSALS[call.operation])
            return Refused(code, "refused", self._exchange(call, Verdict.REFUSED, code))
        return None

    def _work_late(self, work: Callable[[], object]) -> None:
        self._world.tell("SEQR", "works on a call that nobody waits for any more")
        work()

    async def _unknown(self, call: _Call) -> Unknown:
        """Cut off at once, or waited for in vain."""
        waited = self._timeout if self._world.random.random() < 0.7 else self._world.random.uniform(0, 1)
        self._world.trouble.strike("SEQR: no answer", self._world.loop.elapsed, call.purchase_id)
        await self._process.spend(waited)
        return Unknown("no answer", self._exchange(call, Verdict.UNKNOWN))

    def _twisted(self, fate: str | None, value: T) -> T:
        """A right answer made into an odd one."""
        if not isinstance(value, PaymentStatus):
            return value
        if fate == "unknown status":
            return cast("T", replace(value, status=_UNKNOWN_STATUS))
        if fate == "about another invoice":
            other = self._world.random.choice(list(self._bank.invoices.values()))
            if other.reference != value.invoice_reference:
                return cast("T", replace(other.answer(), status="PAID", paid=other.total))
        return value

    def _decided(self, call: _Call, code: int | None) -> Outcome[None]:
        if code is None:
            return Answered(None, self._exchange(call, Verdict.ANSWERED, ResultCode.SUCCESS))
        if code in TRANSIENT_CODES:
            return Busy(code, "busy", self._exchange(call, Verdict.BUSY, code))
        return Refused(code, "refused", self._exchange(call, Verdict.REFUSED, code))

    def _answered(self, call: _Call, value: T) -> Outcome[T]:
        return Answered(value, self._exchange(call, Verdict.ANSWERED, ResultCode.SUCCESS))

    def _exchange(self, call: _Call, verdict: Verdict, code: int | None = None) -> Exchange:
        return Exchange(call.operation, call.started_at, 1.0, verdict, code, verdict.value, "", "")
