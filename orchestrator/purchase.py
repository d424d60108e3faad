"""A purchase as units of work see it, and the errors about one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, select, text

from orchestrator.batch import Reading
from orchestrator.columns import ROW_VERSION, RowVersion
from orchestrator.errors import OrchestratorError
from orchestrator.money import Money
from orchestrator.tables import purchases

UNPAID = text("purchases.state IN ('received', 'invoiced')")
"""A repeat of the request is answered with the same invoice. Word for word the condition of the indexes, so
they are used."""


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
        canonical = json.dumps([getattr(self, name) for name in self.__slots__], ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


class Purchase(NamedTuple):
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
    row_version: str | None = None
    """The database's; None where it needs none, and once it was changed by the unit of work that has it."""
    planned: datetime | None = None
    """In the place of the version where nobody knows it yet: ``next_check_at`` as it was just written."""

    def seen(self) -> dict[str, Any]:
        """What tells, beside the revision, that nobody has touched it since."""
        return {ROW_VERSION: self.row_version} | ({"next_check_at": self.planned} if self.planned else {})

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def started_over(self) -> bool:
        """Whether an operator took it back to received after it had failed."""
        return self.received_at > self.created_at


COLUMNS: list[ColumnElement[Any]] = [
    RowVersion(purchases) if name == ROW_VERSION else purchases.c[name]
    for name in Purchase._fields
    if name != "planned"
]
"""What a purchase is made of, in the order of its fields."""
_READ = select(*COLUMNS)
_ONE = _READ.where(purchases.c.id == bindparam("purchase_id"))
_OF_REQUEST = _READ.where(purchases.c.request_key == bindparam("request_key"))
_LOAD = Reading(_ONE)
_LOCK = Reading(_ONE.with_for_update(key_share=True), locks=True)
_LATEST = Reading(_OF_REQUEST.order_by(purchases.c.id.desc()).limit(1))
_OPEN = Reading(_OF_REQUEST.where(UNPAID))


def load(connection: Connection, purchase_id: str) -> Purchase:
    """Read one purchase. Raises PurchaseUnknown."""
    return _one(connection, _LOAD, purchase_id)


def lock(connection: Connection, purchase_id: str) -> Purchase:
    """Read one purchase in order to change it: whoever else wants to waits for our commit, and reads then.

    Raises PurchaseUnknown.
    """
    return _one(connection, _LOCK, purchase_id)


def _one(connection: Connection, reading: Reading, purchase_id: str) -> Purchase:
    row = reading.first(connection, purchase_id=purchase_id)
    if row is None:
        raise PurchaseUnknown(f"There is no purchase {purchase_id}.")
    return Purchase(*row)


def find_by_request(connection: Connection, request_key: str) -> Purchase | None:
    """The latest purchase that the same request made."""
    return _one_of_request(connection, _LATEST, request_key)


def find_open(connection: Connection, request_key: str) -> Purchase | None:
    """The unpaid purchase that the same request made; the database allows only one."""
    return _one_of_request(connection, _OPEN, request_key)


def _one_of_request(connection: Connection, reading: Reading, request_key: str) -> Purchase | None:
    row = reading.first(connection, request_key=request_key)
    return None if row is None else Purchase(*row)
