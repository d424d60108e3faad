"""Planted bugs in who asks SEQR, and when."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, select, update

from orchestrator import issuing, journal, watch
from orchestrator.purchase import Purchase, load
from orchestrator.reconcile import Reconciler
from orchestrator.tables import invoice_attempts, purchases
from orchestrator.watch import Watched
from statemachine import State


def endless_lease() -> AbstractContextManager[object]:
    """A claimed purchase is left to its process for ten minutes, dead or alive."""
    claim = watch.claim

    def claim_for_long(connection: Connection, settings: Any, at: datetime, limit: int) -> list[Watched]:
        claimed = claim(connection, settings, at, limit)
        later = update(purchases).where(purchases.c.id.in_([found.purchase.id for found in claimed]))
        connection.execute(later.values(next_check_at=at + timedelta(minutes=10)))
        return claimed

    return patch.object(watch, "claim", claim_for_long)


def lost_lease() -> AbstractContextManager[object]:
    """A claimed purchase is due again only when its process says so."""
    claim = watch.claim

    def claim_for_good(connection: Connection, settings: Any, at: datetime, limit: int) -> list[Watched]:
        claimed = claim(connection, settings, at, limit)
        mine = purchases.c.id.in_([found.purchase.id for found in claimed])
        connection.execute(update(purchases).where(mine).values(next_check_at=None))
        return claimed

    return patch.object(watch, "claim", claim_for_good)


def resend_on_unknown() -> AbstractContextManager[object]:
    """An unanswered sendInvoice is sent again at once."""
    return patch.object(issuing, "patience", lambda _: timedelta(seconds=0.1))


def forget_superseded() -> AbstractContextManager[object]:
    """Only the latest invoice of a purchase is asked about and cancelled."""
    watched = watch._watched

    def look_at_latest(rows: Any) -> Watched:
        found = watched(rows)
        latest = found.purchase.invoice_reference
        return replace(found, attempts=[each for each in found.attempts if each.reference in (None, latest)])

    return patch.object(watch, "_watched", look_at_latest)


def let_late_invoice_be() -> AbstractContextManager[object]:
    """An invoice that arrives when its purchase has failed already is written down and left alone."""
    record = issuing.record_sent

    def once(connection: Connection, attempt_id: str, answer: Any, *rest: Any) -> Purchase:
        owner = select(invoice_attempts.c.purchase_id).where(invoice_attempts.c.id == attempt_id)
        before = load(connection, connection.execute(owner).scalar_one())
        after = record(connection, attempt_id, answer, *rest)
        if before.state == State.FAILED.value:
            after = journal.touch(connection, after, next_check_at=None)
        return after

    return patch.object(issuing, "record_sent", once)


def lose_patience_with_seqr() -> AbstractContextManager[object]:
    """While SEQR fails, each ask waits twice as long as the one before it, up to a minute, and nobody finds
    that far ahead."""
    return patch.multiple(watch, _WHILE_IT_FAILS=60.0, _FURTHEST_OPEN=timedelta(minutes=2))


def wait_for_each_check() -> AbstractContextManager[object]:
    """The reconciler checks one purchase after the other."""

    async def begin(self: Any, found: Watched) -> None:
        await self._slots.acquire()
        await self._check(found)

    return patch.object(Reconciler, "_begin", begin)
