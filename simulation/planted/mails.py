"""Planted bugs in the outbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, cast
from unittest.mock import patch

from sqlalchemy import Connection, update

from orchestrator import outbox
from orchestrator.outbox import Mail
from orchestrator.purchase import Purchase
from orchestrator.settlement import Settlement
from orchestrator.tables import outbox as mails


@contextmanager
def outbox_of_its_own_commit() -> Iterator[None]:
    """Mails are put into the outbox in a commit after the one that they tell of."""
    enqueue, record = outbox.enqueue, cast("Any", Settlement)._record_status
    later: list[tuple[Any, ...]] = []

    async def record_then_mail(self: Any, *args: Any) -> Purchase:
        after: Purchase = await record(self, *args)
        while later:
            await self._database.write(enqueue, *later.pop())
        return after

    with (
        patch.object(outbox, "enqueue", lambda _, *args: later.append(args)),
        patch.object(Settlement, "_record_status", record_then_mail),
    ):
        yield


def mail_without_lease() -> AbstractContextManager[object]:
    """A claimed mail can be claimed by the next postman too."""
    claim = outbox.claim

    def claim_for_nothing(connection: Connection, at: datetime, limit: int) -> list[Mail]:
        claimed = claim(connection, at, limit)
        ids = [mail.id for mail in claimed]
        connection.execute(update(mails).where(mails.c.id.in_(ids)).values(next_attempt_at=at))
        return claimed

    return patch.object(outbox, "claim", claim_for_nothing)


def forget_claimed_mail() -> AbstractContextManager[object]:
    """A mail that was claimed once is never due again."""
    claim = outbox.claim

    def claim_for_good(connection: Connection, at: datetime, limit: int) -> list[Mail]:
        claimed = claim(connection, at, limit)
        ids = [mail.id for mail in claimed]
        connection.execute(update(mails).where(mails.c.id.in_(ids)).values(next_attempt_at=None))
        return claimed

    return patch.object(outbox, "claim", claim_for_good)


def new_message_id() -> AbstractContextManager[object]:
    """Each attempt to send a mail has a Message-ID of its own."""
    claim = outbox.claim

    def rename(connection: Connection, at: datetime, limit: int) -> list[Mail]:
        return [
            replace(mail, message_id=f"{mail.message_id}.{mail.attempts}")
            for mail in claim(connection, at, limit)
        ]

    return patch.object(outbox, "claim", rename)
