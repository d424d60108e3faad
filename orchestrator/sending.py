"""Sending: from an order, or an invoice that is missing, to SEQR's answer. Commit, call SEQR, commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import structlog

from orchestrator import invoice, issuing, journal, placement, watch
from orchestrator.catalogue import Offer
from orchestrator.database import Database, LostRace
from orchestrator.errors import OrchestratorError
from orchestrator.invoice import Draft
from orchestrator.placement import Placed
from orchestrator.purchase import Order, OutOfStock, Purchase
from orchestrator.seqr.messages import Answered, IssuedInvoice, Outcome, Refused, Seqr
from orchestrator.settings import Settings
from orchestrator.stamp import Stamp
from statemachine import Reason, State

log = structlog.get_logger(__name__)

_TWIN_PAUSE = 0.05
_TWIN_LONGEST_PAUSE = 0.4


class InvoiceRefused(OrchestratorError):
    """SEQR refused the invoice."""

    code = "invoicing_error"


class SeqrUnavailable(OrchestratorError):
    """SEQR cannot be reached; the order is kept and goes on when SEQR is back. Repeat the request.

    Attributes:
        retry_after: seconds.
    """

    code = "system_error"
    retryable = True

    def __init__(self, message: str | None = None, retry_after: int = 2) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Sending:
    """Places orders and sends invoices.

    What was read of an offer is taken for true the next time, until the database says that it is not."""

    def __init__(
        self, database: Database, seqr: Seqr, settings: Settings, secret: str, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._seqr = seqr
        self._settings = settings
        self._secret = secret
        self._clock = clock
        self._offers: dict[str, Offer] = {}

    async def place(self, order: Order) -> str:
        """Answer createPurchase: returns SEQR's invoice reference for the order.

        Raises:
            UnknownPurchaseToken, OutOfStock, InvoiceRefused: final for this order.
            TooManyUnpaid: the same order may be repeated later.
            SeqrUnavailable, DatabaseUnavailable: the same order may be repeated.
        """
        placed = await self._place(order)
        if placed.missing:
            raise OutOfStock(f"The stock lacks {placed.missing}.")
        if placed.draft is None:
            return await self._repeat(placed.purchase_id)
        log.info("purchase.received", purchase_id=placed.purchase_id, purchase_token=order.purchase_token)
        purchase, answer = await self._send(placed.draft, placement.ACTOR, placed.draft.purchase)
        return _reference(purchase, answer)

    async def _place(self, order: Order) -> Placed:
        offer = self._offers.get(order.purchase_token)
        if offer is not None:
            with suppress(LostRace):
                return await self._database.write_once(
                    placement.place, order, self._settings, self._clock(), offer
                )
        placed = await self._database.write_brief(placement.place, order, self._settings, self._clock())
        if placed.offer is not None:
            self._offers[order.purchase_token] = placed.offer
        return placed

    async def _repeat(self, purchase_id: str) -> str:
        """Answer a request that came before with what became of it."""
        purchase = await self._follow(purchase_id)
        if purchase.reason == Reason.INVOICE_REFUSED.value:
            raise InvoiceRefused(await self._database.read(journal.last_words, purchase_id))
        return _reference(purchase)

    async def _follow(self, purchase_id: str) -> Purchase:
        """The purchase of an earlier request, once it has its invoice, or sent again if that one got none."""
        deadline = self._clock() + issuing.patience(self._settings)
        pause = _TWIN_PAUSE
        while True:
            found = await self._database.read(watch.look, purchase_id)
            waiting = found.purchase.state == State.RECEIVED.value
            if not waiting or self._clock() >= deadline:
                return found.purchase
            if found.attempts[-1].state != "sending":
                await self.resume(purchase_id, placement.ACTOR)
                return (await self._database.read(watch.look, purchase_id)).purchase
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _TWIN_LONGEST_PAUSE)

    async def resume(self, purchase_id: str, actor: str) -> bool | None:
        """Send the invoice that is missing; returns whether SEQR was in reach, None if it is not time."""
        attempt_id = await self._database.write_brief(
            issuing.begin_next, purchase_id, self._settings, self._stamp(actor)
        )
        if attempt_id is None:
            return None
        _, answer = await self.send(attempt_id, actor)
        return isinstance(answer, Answered | Refused)

    async def send(self, attempt_id: str, actor: str) -> tuple[Purchase, Outcome[IssuedInvoice]]:
        return await self._send(await self._database.read(issuing.draft, attempt_id), actor)

    async def _send(
        self, draft: Draft, actor: str, placed: Purchase | None = None
    ) -> tuple[Purchase, Outcome[IssuedInvoice]]:
        answer = await self._seqr.send_invoice(invoice.build(draft, self._settings, self._secret))
        purchase = await self._record_sent(draft.attempt_id, answer, actor, placed)
        log.info(
            "invoice.sent",
            purchase_id=purchase.id,
            attempt_id=draft.attempt_id,
            verdict=answer.exchange.verdict.value,
            reference=purchase.invoice_reference,
        )
        return purchase, answer

    async def _record_sent(
        self, attempt_id: str, answer: Outcome[IssuedInvoice], actor: str, placed: Purchase | None
    ) -> Purchase:
        settings, stamp = self._settings, self._stamp(actor)
        with suppress(LostRace):
            return await self._database.write_once(
                issuing.record_sent, attempt_id, answer, settings, stamp, placed
            )
        return await self._database.write_brief(issuing.record_sent, attempt_id, answer, settings, stamp)

    def _stamp(self, actor: str) -> Stamp:
        return Stamp(actor, self._clock())


def _reference(purchase: Purchase, answer: Outcome[IssuedInvoice] | None = None) -> str:
    """The invoice reference that createPurchase answers with, or the error that says why there is none."""
    if isinstance(answer, Refused):
        raise InvoiceRefused(f"SEQR refused the invoice: {answer.code} {answer.description}")
    if purchase.state == State.FAILED.value or purchase.invoice_reference is None:
        cancelled = purchase.state == State.FAILED.value
        why = "The purchase was cancelled meanwhile" if cancelled else "SEQR gave no invoice"
        raise SeqrUnavailable(f"{why}. Repeat the request in a moment.")
    return purchase.invoice_reference
