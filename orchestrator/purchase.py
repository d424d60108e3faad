"""A purchase as units of work see it, and the errors about one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from orchestrator.errors import OrchestratorError
from orchestrator.money import Money
from orchestrator.tables import invoice_attempts, purchases
from statemachine import State

UNPAID = (State.RECEIVED.value, State.INVOICED.value)
"""The states in which a repeat of the request is answered with the same invoice."""


class PurchaseUnknown(OrchestratorError):
    """There is no purchase with that id."""

    code = "purchase_unknown"


class UnknownPurchaseToken(OrchestratorError):
    """No product or bundle with that token is for sale."""

    code = "unknown_purchase_token"


class OutOfStock(OrchestratorError):
    """Nothing is left to promise."""

    code = "out_of_stock"
    retryable = True


@dataclass(frozen=True, slots=True)
class Order:
    """What createPurchase asks for: one product or bundle, and where it goes. Checked at the edge."""

    purchase_token: str
    name: str
    street: str
    city: str
    state: str
    zip: str
    country: str
    email: str
    msisdn: str

    def request_key(self) -> str:
        """The same for equal requests: createPurchase carries no key of its own (facts)."""
        canonical = json.dumps([getattr(self, field.name) for field in fields(self)], ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase as it was read; ``revision`` tells later whether it still is so."""

    id: str
    state: str
    reason: str | None
    attention: str | None
    revision: int
    purchase_token: str
    title: str
    amount: Decimal
    currency: str
    customer_name: str
    customer_email: str
    invoice_reference: str | None
    request_key: str
    holds_stock: bool
    holds: int
    checks_failed: int
    received_at: datetime
    created_at: datetime
    next_check_at: datetime | None
    asked_at: datetime | None
    notified_at: datetime | None
    customer_erased_at: datetime | None = None

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def started_over(self) -> bool:
        """Whether an operator took it back to received after it had failed."""
        return self.received_at > self.created_at


# Made once, as making one takes longer than running it.
_READ = select(*(purchases.c[field.name] for field in fields(Purchase)))
_READ_ONE = _READ.where(purchases.c.id == bindparam("purchase_id"))
_LOCK_ONE = _READ_ONE.with_for_update(key_share=True)
_LOCK_OWNER = _READ.where(
    purchases.c.id
    == select(invoice_attempts.c.purchase_id)
    .where(invoice_attempts.c.id == bindparam("attempt_id"))
    .scalar_subquery()
).with_for_update(key_share=True)
_OF_REQUEST = _READ.where(purchases.c.request_key == bindparam("request_key"))
_LATEST = _OF_REQUEST.order_by(purchases.c.id.desc()).limit(1)
_OPEN = _OF_REQUEST.where(purchases.c.state.in_(UNPAID))


def load(connection: Connection, purchase_id: str) -> Purchase:
    """Read one purchase. Raises PurchaseUnknown."""
    return _one(connection, _READ_ONE, purchase_id)


def lock(connection: Connection, purchase_id: str) -> Purchase:
    """Read one purchase in order to change it: whoever else wants to waits for our commit, and reads then.

    Raises PurchaseUnknown.
    """
    return _one(connection, _LOCK_ONE, purchase_id)


def lock_owner(connection: Connection, attempt_id: str) -> Purchase:
    """Lock the purchase that an invoice attempt belongs to."""
    return Purchase(*connection.execute(_LOCK_OWNER, {"attempt_id": attempt_id}).one())


def _one(connection: Connection, statement: Select[Any], purchase_id: str) -> Purchase:
    row = connection.execute(statement, {"purchase_id": purchase_id}).one_or_none()
    if row is None:
        raise PurchaseUnknown(f"There is no purchase {purchase_id}.")
    return Purchase(*row)


def find_by_request(connection: Connection, request_key: str) -> Purchase | None:
    """The latest purchase that the same request made."""
    return _one_of_request(connection, _LATEST, request_key)


def find_open(connection: Connection, request_key: str) -> Purchase | None:
    """The unpaid purchase that the same request made; the database allows only one."""
    return _one_of_request(connection, _OPEN, request_key)


def _one_of_request(connection: Connection, statement: Select[Any], request_key: str) -> Purchase | None:
    row = connection.execute(statement, {"request_key": request_key}).one_or_none()
    return None if row is None else Purchase(*row)
