"""What went over the wires: SEQR calls and mails."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from orchestrator.models.fields import moment as _moment


class ExchangeRow(SQLModel, table=True):
    """One SOAP call as kept for the merchant; credentials were masked before it came here."""

    __tablename__ = "exchanges"
    __table_args__ = (Index("exchanges_of_purchase", "purchase_id", "started_at"),)

    id: str = Field(primary_key=True, max_length=36)
    purchase_id: str | None = Field(default=None, max_length=36)
    attempt_id: str | None = Field(default=None, max_length=36)
    operation: str = Field(max_length=64)
    started_at: datetime = _moment(index=True)
    duration_ms: float
    verdict: str = Field(max_length=16)
    result_code: int | None = None
    detail: str = Field(sa_type=Text)
    request: str = Field(sa_type=Text)
    response: str = Field(sa_type=Text)


class OutboxMail(SQLModel, table=True):
    """A mail that has to go out, written in the same commit as what it tells.

    States: ``queued``, ``sent``, ``kept`` (no SMTP is set), ``failed`` (given up). The text is made anew for
    each attempt and kept as it was in the last. ``message_id`` is the left side of the Message-ID; it never
    changes, so a repeat is recognised.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("purchase_id", "kind", "number", name="outbox_once"),
        Index("outbox_by_state", "state", "id"),
        Index(
            "outbox_due",
            "next_attempt_at",
            sqlite_where=text("next_attempt_at IS NOT NULL"),
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True, max_length=36)
    purchase_id: str = Field(foreign_key="purchases.id", max_length=36)
    kind: str = Field(max_length=32)
    number: int
    state: str = Field(max_length=16)
    recipient: str = Field(max_length=254)
    message_id: str = Field(max_length=200)
    subject: str | None = Field(default=None, sa_type=Text)
    text_body: str | None = Field(default=None, sa_type=Text)
    html_body: str | None = Field(default=None, sa_type=Text)
    attempts: int = 0
    last_error: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = _moment()
    next_attempt_at: datetime | None = _moment(default=None)
    sent_at: datetime | None = _moment(default=None)
