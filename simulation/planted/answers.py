"""Planted bugs in what is made of SEQR's word, or of the want of it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, cast
from unittest.mock import patch

from sqlalchemy import Connection

from orchestrator import attempt, closing, operation, outcome
from orchestrator.purchase import Purchase, load
from orchestrator.seqr.messages import Answered, Exchange, PaymentStatus, ResultCode, Unknown, Verdict
from orchestrator.settlement import Settlement
from orchestrator.stamp import Stamp
from statemachine import Reason, State, Trigger


def fail_without_asking() -> AbstractContextManager[object]:
    """An invoice whose time is over makes its purchase failed, whatever SEQR would say."""
    check = Settlement.check

    def expire(connection: Connection, purchase_id: str, stamp: Stamp, seconds: float) -> None:
        purchase = load(connection, purchase_id)
        if purchase.state == State.INVOICED.value and stamp.at > purchase.received_at + timedelta(
            seconds=seconds
        ):
            attempt.fail(connection, purchase, Trigger.CLOSE, Reason.EXPIRED, stamp, "Its time is over.")

    async def impatient(self: Any, purchase_id: str, actor: str, everything: bool = False) -> bool | None:
        seconds = self._settings.invoice_ttl
        await self._database.write(expire, purchase_id, self._stamp(actor), seconds)
        return await check(self, purchase_id, actor, everything)

    return patch.object(Settlement, "check", impatient)


def expire_without_cancelling() -> AbstractContextManager[object]:
    """An invoice whose time is over is closed in our books, and left open at SEQR."""
    cancel = cast("Any", Settlement)._cancel_invoice

    async def only_here(self: Any, purchase: Any, found: Any, reason: Reason, actor: str) -> None:
        if reason is not Reason.EXPIRED:
            await cancel(self, purchase, found, reason, actor)
            return
        answer = Answered(None, _exchange("cancelInvoice", self._clock()))
        await self._database.write(operation.want_cancelled, found.id, reason)
        stamp = self._stamp(actor)
        await self._database.write(outcome.record_cancel, found.id, answer, self._settings, stamp)

    return patch.object(Settlement, "_cancel_invoice", only_here)


def believe_unknown_cancel() -> AbstractContextManager[object]:
    """A cancelInvoice without an answer counts as done."""
    record = outcome.record_cancel

    def believing(connection: Connection, attempt_id: str, answer: Any, *rest: Any) -> Purchase:
        done = Answered(None, answer.exchange) if isinstance(answer, Unknown) else answer
        return record(connection, attempt_id, done, *rest)

    return patch.object(outcome, "record_cancel", believing)


def paid_counts_as_cancelled() -> AbstractContextManager[object]:
    """That an invoice is paid already (50) is taken for that it is closed already."""
    record = outcome.record_cancel

    def careless(connection: Connection, attempt_id: str, answer: Any, *rest: Any) -> Purchase:
        done = (
            Answered(None, answer.exchange)
            if getattr(answer, "code", None) == ResultCode.CANNOT_CANCEL_PAID_INVOICE
            else answer
        )
        return record(connection, attempt_id, done, *rest)

    return patch.object(outcome, "record_cancel", careless)


def trust_notification() -> AbstractContextManager[object]:
    """Whoever calls the notification address has paid."""
    notified = Settlement.notified

    def latest(connection: Connection, purchase_id: str) -> attempt.Attempt | None:
        found = [each for each in attempt.of_purchase(connection, purchase_id) if each.state == "open"]
        return found[-1] if found else None

    async def trusting(self: Any, purchase_id: str, sender: str) -> None:
        await notified(self, purchase_id, sender)
        found = await self._database.read(latest, purchase_id)
        if found is not None:
            paid = PaymentStatus("PAID", found.version + 1, f"E{found.reference}")
            answer = Answered(paid, _exchange("getPaymentStatus", self._clock()))
            stamp = self._stamp("notification")
            await self._database.write(outcome.record_status, found.id, answer, self._settings, stamp)

    return patch.object(Settlement, "notified", trusting)


def any_amount() -> AbstractContextManager[object]:
    """A payment is a payment, however much it is."""
    return patch.object(outcome, "why_not", lambda *_: None)


def any_invoice() -> AbstractContextManager[object]:
    """An answer counts, whichever invoice it is about."""
    return patch.object(closing, "of_another", lambda *_: False)


def _exchange(name: str, at: datetime) -> Exchange:
    return Exchange(name, at, 0.0, Verdict.ANSWERED, 0, "", "", "")
