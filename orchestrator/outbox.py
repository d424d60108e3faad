"""The outbox: mails that have to go out, and how far each has come.

A mail is put here in the same commit as what it tells, so neither is ever without the other. The postman
claims what is due for a while (a lease); if he dies, the lease runs out and the mail is due again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from orchestrator import audit, batch, journal
from orchestrator.erasure import CustomerErased
from orchestrator.errors import OrchestratorError
from orchestrator.identity import new_id
from orchestrator.intent import ANYWAY, Intent
from orchestrator.purchase import Purchase
from orchestrator.stamp import Stamp
from orchestrator.statement import Statement, change, expected
from orchestrator.tables import outbox
from statemachine import State

log = structlog.get_logger(__name__)

Kind = Literal["order_confirmation", "payment_link"]

LEASE = timedelta(minutes=2)
"""How long a claimed mail is left to the process that claimed it."""

_FIRST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(minutes=10)
_GIVE_UP_AFTER = timedelta(days=2)


class MailUnknown(OrchestratorError):
    """There is no such mail in the outbox."""

    code = "mail_unknown"


class MailUnderWay(OrchestratorError):
    """The mail is already waiting to be sent; there is nothing to send again."""

    code = "mail_under_way"


class NothingToPay(OrchestratorError):
    """The purchase has no open invoice any more, so a pay link would mislead."""

    code = "nothing_to_pay"


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A claimed mail. ``message_id`` is the left side of its Message-ID, the same at every attempt."""

    id: str
    purchase_id: str
    kind: str
    recipient: str
    message_id: str
    attempts: int
    created_at: datetime


_COLUMNS = [outbox.c[field.name] for field in fields(Mail)]

_NEW = (
    *("id", "purchase_id", "kind", "state", "recipient"),
    *("message_id", "attempts", "created_at", "next_attempt_at"),
)
_EARLIER = select(func.coalesce(func.max(outbox.c.number), 0)).where(
    outbox.c.purchase_id == bindparam("purchase_id"), outbox.c.kind == bindparam("kind")
)
_ENQUEUE = Statement(
    insert(outbox)
    .inline()
    .values(number=_EARLIER.scalar_subquery() + 1, **{name: bindparam(name) for name in _NEW})
)
_KEEP = (
    update(outbox)
    .where(
        outbox.c.id == bindparam("of_id"),
        outbox.c.state == "queued",
        outbox.c.attempts == bindparam("of_attempts"),
    )
    .values(
        state="kept",
        last_error=None,
        next_attempt_at=None,
        **{name: bindparam(name) for name in ("subject", "text_body", "html_body")},
    )
)


def enqueue(connection: Connection, purchase_id: str, kind: Kind, recipient: str, at: datetime) -> None:
    """Have a mail about the purchase sent to ``recipient``, now that this is committed."""
    mail_id = new_id()
    row = {
        "id": mail_id,
        "purchase_id": purchase_id,
        "kind": kind,
        "state": "queued",
        "recipient": recipient,
        "message_id": mail_id,
        "attempts": 0,
        "created_at": at,
        "next_attempt_at": at,
    }
    batch.also(connection, _ENQUEUE, row)


def claim(connection: Connection, at: datetime, limit: int) -> list[Mail]:
    """Take up to ``limit`` due mails, oldest first; nobody else gets them before ``LEASE`` is over."""
    # What lies much further ahead than any wait was planned before the clock was set back.
    too_far = outbox.c.next_attempt_at > at + 2 * _LONGEST_WAIT
    due = (
        select(outbox.c.id)
        .where(or_(outbox.c.next_attempt_at <= at, too_far))
        .order_by(outbox.c.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = connection.execute(due).scalars().all()
    if not ids:
        return []
    connection.execute(
        update(outbox)
        .where(outbox.c.id.in_(ids))
        .values(attempts=outbox.c.attempts + 1, next_attempt_at=at + LEASE)
    )
    rows = connection.execute(select(*_COLUMNS).where(outbox.c.id.in_(ids)).order_by(outbox.c.id))
    return [Mail(*row) for row in rows]


def record_sent(connection: Connection, mail: Mail, letter: Letter, at: datetime) -> None:
    """The mail server took it."""
    _settle(connection, mail, letter, state="sent", sent_at=at, last_error=None, next_attempt_at=None)


def record_kept(connection: Connection, kept: Sequence[tuple[Mail, Letter]]) -> None:
    """There is no mail server: the dashboard shows them. What was settled or claimed anew meanwhile stays."""
    rows = [{**_said(letter), "of_id": mail.id, "of_attempts": mail.attempts} for mail, letter in kept]
    connection.execute(_KEEP, rows)


def record_failure(
    connection: Connection, mail: Mail, letter: Letter | None, error: OrchestratorError, at: datetime
) -> None:
    """It did not go out. Try again after a while if that may help, else give it up."""
    wait = backoff(mail.attempts) if error.retryable else None
    _settle(
        connection,
        mail,
        letter,
        state="failed" if wait is None else "queued",
        last_error=error.message,
        next_attempt_at=None if wait is None else at + wait,
    )


def backoff(attempts: int) -> timedelta | None:
    """How long to wait after so many attempts: 1 s, doubled up to 10 min; None once two days were spent."""
    spent = wait = timedelta(0)
    for number in range(attempts):
        wait = min(_FIRST_WAIT * 2 ** min(number, 10), _LONGEST_WAIT)
        spent += wait
    return wait if spent <= _GIVE_UP_AFTER else None


def resend(
    connection: Connection,
    mail_id: str,
    stamp: Stamp,
    intent: Intent = ANYWAY,
    goes_out: bool = True,
) -> None:
    """Send a mail again that was sent, kept or given up. It keeps its Message-ID; its text is made anew.
    It does not go out where no mail server is set.

    Raises:
        MailUnknown: there is none with this id.
        MailUnderWay: it is waiting to be sent.
        NothingToPay: it is a pay link, and there is no open invoice to pay.
        CustomerErased: nobody knows any more where to.
        Changed: the purchase is not what was looked at any more.
    """
    c = outbox.c
    purchase_id = connection.execute(select(c.purchase_id).where(c.id == mail_id)).scalar()
    if purchase_id is None:
        raise MailUnknown(f"There is no mail {mail_id} in the outbox.")
    purchase = intent.lock(connection, purchase_id, stamp)
    if purchase.customer_erased_at:
        raise CustomerErased
    row = connection.execute(select(c.state, c.kind).where(c.id == mail_id)).one()
    _may_go_again(mail_id, row.kind, row.state, purchase)
    values = {"state": "queued", "attempts": 0, "last_error": None, "sent_at": None}
    connection.execute(
        update(outbox).where(c.id == mail_id, c.state == row.state).values(**values, next_attempt_at=stamp.at)
    )
    told = "Sent again to the customer." if goes_out else "Written again and kept; no mail server is set."
    journal.note(connection, purchase, "mail_resent", stamp, told)
    audit.record(connection, stamp, "mail.resend", mail_id, address=intent.address)
    log.info("mail.requeued", mail_id=mail_id, actor=stamp.actor, was=row.state)


def _may_go_again(mail_id: str, kind: str, state: str, purchase: Purchase) -> None:
    if state == "queued":
        raise MailUnderWay(f"Mail {mail_id} is already waiting to be sent.")
    if kind == "payment_link" and purchase.state != State.INVOICED.value:
        raise NothingToPay(f"The purchase is {purchase.state}: there is no open invoice to pay.")


def depth(connection: Connection) -> Mapping[str, int]:
    """How many mails there are in each state; every state is named."""
    counted = connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state))
    return {"queued": 0, "sent": 0, "kept": 0, "failed": 0} | dict(counted.all())


def _said(letter: Letter) -> dict[str, Any]:
    return {"subject": letter.subject, "text_body": letter.text, "html_body": letter.html}


def _settle(connection: Connection, mail: Mail, letter: Letter | None, **values: Any) -> None:
    """Write down how the attempt ended, unless it was settled or claimed anew in the meantime."""
    if letter is not None:
        values |= _said(letter)
    settle = change(outbox, ("id",), tuple(values), ("state", "attempts"))
    same_attempt = {"id": mail.id, "state": "queued", "attempts": mail.attempts}
    batch.also(connection, settle, values | expected(same_attempt))
