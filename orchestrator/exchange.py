"""Calls to SEQR, and from it, that are kept for the merchant to read."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from orchestrator import batch
from orchestrator.identity import first_id, new_id
from orchestrator.seqr.messages import Exchange, Verdict
from orchestrator.tables import exchanges, invoice_attempts, notifications

_BITE = 1000


def keep(connection: Connection, exchange: Exchange, purchase_id: str, attempt_id: str) -> None:
    """Keep one call. Its credentials were masked where it was made."""
    row = {
        "id": new_id(),
        "purchase_id": purchase_id,
        "attempt_id": attempt_id,
        "operation": exchange.operation,
        "started_at": exchange.started_at,
        "duration_ms": exchange.duration_ms,
        "verdict": exchange.verdict.value,
        "result_code": exchange.result_code,
        "detail": exchange.detail,
        "request": exchange.request,
        "response": exchange.response,
    }
    batch.add(connection, exchanges, row)


def last_refusal(connection: Connection, purchase_id: str) -> str | None:
    """SEQR's last word, where it was asked about the purchase and would not say; None where it said."""
    c = exchanges.c
    statement = (
        select(c.operation, c.verdict, c.detail, invoice_attempts.c.reference)
        .join(invoice_attempts, invoice_attempts.c.id == c.attempt_id)
        .where(c.purchase_id == purchase_id)
        .order_by(c.started_at.desc(), c.id.desc())
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    if row is None or row.reference is None or row.verdict != Verdict.REFUSED.value:
        return None
    if row.operation == "cancelInvoice":
        return None
    answer = row.detail.removeprefix("SEQR refused: ")
    return f"SEQR refuses to tell about invoice {row.reference}: {answer.rstrip('.')}."


def prune(connection: Connection, at: datetime, days: int) -> int:
    """Forget calls that are older than ``days``, a bite at a time; returns how many."""
    old = (
        select(exchanges.c.id)
        .where(exchanges.c.started_at < at - timedelta(days=days))
        .order_by(exchanges.c.started_at)
        .limit(_BITE)
    )
    return connection.execute(delete(exchanges).where(exchanges.c.id.in_(old))).rowcount


def prune_notifications(connection: Connection, at: datetime, days: int) -> int:
    """Forget notifications that are older than ``days``, a bite at a time; returns how many."""
    c = notifications.c
    old = select(c.id).where(c.id < first_id(at - timedelta(days=days))).order_by(c.id).limit(_BITE)
    return connection.execute(delete(notifications).where(c.id.in_(old))).rowcount
