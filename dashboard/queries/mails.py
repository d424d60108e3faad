"""The outbox as the merchant sees it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from orchestrator.tables import outbox

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
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Mail(MailRow):
    """A mail with its text, in plain and in HTML."""

    message_id: str
    text_body: str | None
    html_body: str | None


@dataclass(frozen=True, slots=True)
class MailPage:
    """Newest first; ``older`` is the id to go on from."""

    rows: tuple[MailRow, ...]
    older: str


def read_page(connection: Connection, state: str, older: str, size: int = PAGE) -> MailPage:
    """One page of the mails in a state (empty for all), below the id ``older``."""
    statement = _rows().order_by(_C.id.desc()).limit(size + 1)
    statement = statement.where(_C.state == state) if state else statement
    statement = statement.where(_C.id < older) if older else statement
    rows = [_row(row) for row in connection.execute(statement)]
    return MailPage(tuple(rows[:size]), rows[size - 1].id if len(rows) > size else "")


def count(connection: Connection) -> dict[str, int]:
    """How many mails are in each state."""
    counted = connection.execute(select(_C.state, func.count()).group_by(_C.state))
    return dict.fromkeys(STATES, 0) | {row[0]: row[1] for row in counted}


def read_mail(connection: Connection, mail_id: str) -> Mail | None:
    """One mail, or None."""
    row = connection.execute(select(outbox).where(_C.id == mail_id)).one_or_none()
    return None if row is None else Mail(**_named(Mail, row))


def _rows() -> Select[Any]:
    return select(*(_C[field.name] for field in fields(MailRow)))


def _row(row: Row[Any]) -> MailRow:
    return MailRow(**_named(MailRow, row))


def _named(shape: type[MailRow], row: Row[Any]) -> dict[str, Any]:
    """The columns that bear the names of the shape's fields."""
    return {field.name: getattr(row, field.name) for field in fields(shape)}
