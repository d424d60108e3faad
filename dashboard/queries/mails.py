"""The outbox as the merchant sees it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, select

from orchestrator.tables import outbox, purchases

PAGE = 50
STATES = ("queued", "sent", "kept", "failed")

_C = outbox.c


@dataclass(frozen=True, slots=True)
class MailRow:
    """A mail in the list. The subject is not written before the mail is first due."""

    id: str
    purchase_id: str
    kind: str
    state: str
    recipient: str
    subject: str | None
    attempts: int
    last_error: str | None
    created_at: datetime
    next_attempt_at: datetime | None
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Mail(MailRow):
    """A mail with its text, in plain and in HTML, and what its page needs of the purchase."""

    message_id: str
    text_body: str | None
    html_body: str | None
    purchase_state: str
    revision: int
    pay_code: str | None
    erased_at: datetime | None

    @property
    def resendable(self) -> bool:
        """Whether it can be sent again: it is not waiting, and no pay link to nothing."""
        return self.state != "queued" and not self.pointless and self.erased_at is None

    @property
    def pointless(self) -> bool:
        """Whether it asks for a payment that is no longer possible."""
        return self.kind == "payment_link" and self.purchase_state != "invoiced"


@dataclass(frozen=True, slots=True)
class MailPage:
    """Newest first; ``older`` is the id to go on from."""

    rows: tuple[MailRow, ...]
    older: str


class Digest(NamedTuple):
    """What differs when something about the mails has changed."""

    newest: str
    queued: int
    failed: int


def read_page(
    connection: Connection, state: str, older: str, recipient: str = "", size: int = PAGE
) -> MailPage:
    """One page of the mails in a state (empty for all) to addresses that contain ``recipient``, below the id
    ``older``."""
    statement = _rows().order_by(_C.id.desc()).limit(size + 1)
    statement = statement.where(_C.state == state) if state else statement
    statement = statement.where(_C.id < older) if older else statement
    if recipient:
        statement = statement.where(_C.recipient.icontains(recipient, autoescape=True))
    rows = [_row(row) for row in connection.execute(statement)]
    return MailPage(tuple(rows[:size]), rows[size - 1].id if len(rows) > size else "")


def count(connection: Connection) -> dict[str, int]:
    """How many mails are in each state."""
    counted = connection.execute(select(_C.state, func.count()).group_by(_C.state))
    return dict.fromkeys(STATES, 0) | {row[0]: row[1] for row in counted}


def read_digest(connection: Connection) -> Digest:
    """By an index each, so it may be read often."""
    waiting = select(_C.state, func.count()).where(_C.state.in_(("queued", "failed"))).group_by(_C.state)
    numbers: dict[str, int] = {row[0]: row[1] for row in connection.execute(waiting)}
    newest = connection.execute(select(func.max(_C.id))).scalar() or ""
    return Digest(newest, numbers.get("queued", 0), numbers.get("failed", 0))


def read_state(connection: Connection, mail_id: str) -> str:
    """State and attempts of one mail, as one text that differs when it has changed."""
    row = connection.execute(select(_C.state, _C.attempts, _C.sent_at).where(_C.id == mail_id)).one_or_none()
    return "" if row is None else f"{row.state} {row.attempts} {row.sent_at}"


def read_mail(connection: Connection, mail_id: str) -> Mail | None:
    """One mail, or None."""
    of_purchase = (
        purchases.c.state.label("purchase_state"),
        purchases.c.revision,
        purchases.c.invoice_qr_code.label("pay_code"),
        purchases.c.customer_erased_at.label("erased_at"),
    )
    joined = select(outbox, *of_purchase).join(purchases, purchases.c.id == _C.purchase_id)
    row = connection.execute(joined.where(_C.id == mail_id)).one_or_none()
    return None if row is None else Mail(**_named(Mail, row))


def _rows() -> Select[Any]:
    return select(*(_C[field.name] for field in fields(MailRow)))


def _row(row: Row[Any]) -> MailRow:
    return MailRow(**_named(MailRow, row))


def _named(shape: type[MailRow], row: Row[Any]) -> dict[str, Any]:
    """The columns that bear the names of the shape's fields."""
    return {field.name: getattr(row, field.name) for field in fields(shape)}
