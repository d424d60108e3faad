"""Settlement: takes a purchase from the order to the stock. Commit, call SEQR, commit: never at once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar

import structlog

from orchestrator import closing, delivery, issuing, operation, outcome, watch
from orchestrator import intent as intents
from orchestrator.attempt import Attempt, Matter
from orchestrator.checks import BackgroundChecks
from orchestrator.database import Database, LostRace
from orchestrator.identity import now
from orchestrator.intent import Intent
from orchestrator.purchase import Order, Purchase
from orchestrator.sending import Sending
from orchestrator.seqr.messages import (
    Answered,
    Outcome,
    PaymentStatus,
    Refused,
    ResultCode,
    Seqr,
)
from orchestrator.settings import Settings
from orchestrator.stamp import Stamp
from orchestrator.watch import Watched
from statemachine import Action, Effect, NotAllowed, Reason, State, effect_of

log = structlog.get_logger(__name__)


class Settlement:
    """Everything that happens to a purchase, whoever asks for it."""

    def __init__(
        self,
        database: Database,
        seqr: Seqr,
        settings: Settings,
        secret: str,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._database = database
        self._seqr = seqr
        self._settings = settings
        self._clock = clock
        self._checks = BackgroundChecks(self._check_everything)
        self._sending = Sending(database, seqr, settings, secret, clock)

    async def place(self, order: Order) -> str:
        """Answer createPurchase: returns SEQR's invoice reference for the order.

        Raises:
            UnknownPurchaseToken, OutOfStock, InvoiceRefused: final for this order.
            TooManyUnpaid: the same order may be repeated later.
            SeqrUnavailable, DatabaseUnavailable: the same order may be repeated.
        """
        return await self._sending.place(order)

    async def check(
        self, purchase_id: str, actor: str, everything: bool = False, found: Watched | None = None
    ) -> bool | None:
        """Move a purchase as far as it goes by itself; returns whether SEQR was in reach, None if not asked.

        Sends the invoice that is missing, asks about each open one (about closed ones too, with
        ``everything``), cancels the ones whose time is over, tries the stock of a paid one again. ``found``
        is what was read of it a moment ago.
        """
        if found is None:
            found = await self._database.glance(watch.look, purchase_id)
        state = found.purchase.state
        reached: list[bool | None] = []
        if state == State.RECEIVED.value:
            reached.append(await self._sending.resume(purchase_id, actor))
        reached += [
            await self._ask(found, attempt, actor)
            for attempt in found.attempts
            if attempt.reference and (everything or watch.is_watched(found.purchase, attempt, self._clock()))
        ]
        if state == State.PAID.value:
            await self._database.write_brief(delivery.take_stock, purchase_id, self._stamp(actor))
        elif found.may_rest:
            await self._database.write_brief(watch.rest, purchase_id, self._clock())
        return None if set(reached) <= {None} else False not in reached

    async def notified(self, purchase_id: str, sender: str) -> None:
        """Keep that SEQR called, then ask SEQR at once, in the background.

        While a check of the purchase is still to come, a further call adds nothing: the one that asked for
        it is kept, and the purchase is due soon whatever becomes of us.
        """
        if self._checks.will_run_again(purchase_id):
            return
        try:
            wanted = await self._database.write_once(
                watch.told, purchase_id, sender, self._clock(), open_=True
            )
        except LostRace:
            wanted = await self._database.write_brief(watch.told, purchase_id, sender, self._clock())
        if wanted:
            self._checks.soon(purchase_id, "notification")

    async def act(
        self,
        purchase_id: str,
        action: Action,
        actor: str,
        seen: int | None = None,
        why: str = "",
        address: str = "",
    ) -> bool | None:
        """Do what an operator asks for; an Intent has ``seen``. False: SEQR was only asked, in vain.

        Raises:
            NotAllowed, Changed: its state does not allow it; it is not what they looked at any more.
            PurchaseUnknown: there is no such purchase.
        """
        intent = Intent(action, seen, why, address)
        found = await self._database.read(intents.look, purchase_id, intent)
        effect = effect_of(action, State(found.state))
        log.info("purchase.action", purchase_id=purchase_id, action=action.value, actor=actor)
        return await self._effects[effect](self, purchase_id, actor, intent)

    async def close(self) -> None:
        """Wait for what is under way."""
        await self._checks.close()

    def _stamp(self, actor: str) -> Stamp:
        return Stamp(actor, self._clock())

    async def _check_everything(self, purchase_id: str, actor: str) -> bool | None:
        return await self.check(purchase_id, actor, everything=True)

    async def _ask(self, found: Watched, attempt: Attempt, actor: str) -> bool:
        """Ask SEQR about one invoice and act on the answer; returns whether SEQR was in reach."""
        assert attempt.reference is not None
        purchase = found.purchase
        answer = await self._seqr.payment_status(attempt.reference, attempt.version)
        if outcome.is_news(attempt, purchase, answer):
            purchase = await self._record_status(purchase, attempt, answer, actor, found.matter(attempt))
        reason = closing.why_cancel(purchase, attempt, answer, self._settings, self._clock())
        if reason is not None:
            await self._cancel_invoice(purchase, attempt, reason, actor)
        return isinstance(answer, Answered | Refused)

    async def _record_status(
        self,
        purchase: Purchase,
        attempt: Attempt,
        answer: Outcome[PaymentStatus],
        actor: str,
        known: Matter | None = None,
    ) -> Purchase:
        settings, stamp, after = self._settings, self._stamp(actor), None
        with suppress(LostRace):
            after = await self._database.write_once(
                outcome.record_status, attempt.id, answer, settings, stamp, known
            )
        if after is None:
            after = await self._database.write_brief(
                outcome.record_status, attempt.id, answer, settings, stamp
            )
        _log_move(purchase, after, actor)
        return after

    async def _cancel_invoice(self, purchase: Purchase, attempt: Attempt, reason: Reason, actor: str) -> None:
        """Have SEQR close an invoice. If it was paid in that moment, we ask and learn so."""
        assert attempt.reference is not None
        await self._database.write_brief(operation.want_cancelled, attempt.id, reason)
        answer = await self._seqr.cancel_invoice(attempt.reference)
        after = await self._database.write_brief(
            outcome.record_cancel, attempt.id, answer, self._settings, self._stamp(actor)
        )
        _log_move(purchase, after, actor)
        if isinstance(answer, Refused) and answer.code == ResultCode.CANNOT_CANCEL_PAID_INVOICE:
            status = await self._seqr.payment_status(attempt.reference, attempt.version)
            await self._record_status(after, attempt, status, actor)

    async def _do_ask(self, purchase_id: str, actor: str, intent: Intent) -> bool | None:
        await self._database.write_brief(operation.ask, purchase_id, self._stamp(actor), intent)
        return await self._check_everything(purchase_id, actor)

    async def _do_send(self, purchase_id: str, actor: str, intent: Intent) -> None:
        attempt_id = await self._database.write_brief(
            issuing.begin_next, purchase_id, self._settings, self._stamp(actor), intent
        )
        if attempt_id is not None:
            await self._sending.send(attempt_id, actor)
        elif (await self._database.read(watch.look, purchase_id)).purchase.state == State.RECEIVED.value:
            why = "The last invoice may still be on its way to SEQR: wait a moment."
            raise NotAllowed(Action.RETRY.value, State.RECEIVED.value, why)

    async def _do_take_stock(self, purchase_id: str, actor: str, intent: Intent) -> None:
        await self._database.write_brief(delivery.take_stock, purchase_id, self._stamp(actor), intent)

    async def _do_start_over(self, purchase_id: str, actor: str, intent: Intent) -> None:
        attempt_id = await self._database.write_brief(
            operation.start_over, purchase_id, self._settings, self._stamp(actor), intent
        )
        await self._sending.send(attempt_id, actor)

    async def _do_fail(self, purchase_id: str, actor: str, intent: Intent) -> None:
        await self._database.write_brief(operation.cancel_received, purchase_id, self._stamp(actor), intent)

    async def _do_cancel(self, purchase_id: str, actor: str, intent: Intent) -> None:
        purchase, attempt = await self._database.write_brief(
            operation.ask_cancel, purchase_id, self._stamp(actor), intent
        )
        await self._cancel_invoice(purchase, attempt, Reason.CANCELLED_BY_MERCHANT, actor)

    _effects: ClassVar[
        dict[Effect, Callable[[Settlement, str, str, Intent], Coroutine[Any, Any, bool | None]]]
    ] = {
        Effect.SEND_INVOICE: _do_send,
        Effect.ASK_SEQR: _do_ask,
        Effect.TAKE_STOCK: _do_take_stock,
        Effect.START_OVER: _do_start_over,
        Effect.FAIL: _do_fail,
        Effect.CANCEL_INVOICE: _do_cancel,
    }


def _log_move(before: Purchase, after: Purchase, actor: str) -> None:
    if after.state != before.state:
        event = f"purchase.{after.state}"
        moved = {"source": before.state, "reason": after.reason, "attention": after.attention}
        log.info(event, purchase_id=after.id, actor=actor, **moved)
