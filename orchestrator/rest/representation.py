"""Values as JSON has them: money as a decimal string, times in ISO 8601 with a Z for UTC."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from orchestrator.money import Money
from orchestrator.purchase_queries import ExchangeRecord, PurchaseRecord, TransitionRecord


def instant(at: datetime) -> str:
    """``2026-03-01T12:30:00.000000Z``: always with microseconds, so that texts sort as times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def amount(money: Money) -> dict[str, str]:
    """``{"currency": "SEK", "value": "149.90"}``"""
    return {"currency": money.currency, "value": str(money.value)}


def purchase(record: PurchaseRecord) -> dict[str, object]:
    """A purchase, without its history."""
    return {
        "id": record.id,
        "state": record.state,
        "reason": record.reason,
        "attention": record.attention,
        "purchase_token": record.purchase_token,
        "title": record.title,
        "amount": amount(record.amount),
        "invoice_reference": record.invoice_reference,
        "invoice_qr_code": record.invoice_qr_code,
        "ers_reference": record.ers_reference,
        "customer": asdict(record.customer),
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
    }


def transition(record: TransitionRecord) -> dict[str, object]:
    """One row of the journal."""
    return asdict(record) | {"at": instant(record.at)}


def exchange(record: ExchangeRecord) -> dict[str, object]:
    """One call to SEQR."""
    return asdict(record) | {"at": instant(record.at), "duration_ms": round(record.duration_ms, 3)}
