"""A purchase as a letter to its customer tells it: what, for how much, with which tax, where to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, select

from orchestrator.batch import Reading
from orchestrator.money import Money, smallest_unit, total
from orchestrator.pricing import LINE_COLUMNS, Line, LineKind, line_of
from orchestrator.purchase import PurchaseUnknown
from orchestrator.tables import purchase_lines, purchases


@dataclass(frozen=True, slots=True)
class Customer:
    """Who bought, and where it goes. Text as it came; ``state`` and ``msisdn`` may be empty."""

    name: str
    street: str
    zip: str
    city: str
    state: str
    country: str
    email: str
    msisdn: str


@dataclass(frozen=True, slots=True)
class Tax:
    """The tax that is included in all lines of one rate. ``rate`` is in percent."""

    rate: Decimal
    amount: Money


@dataclass(frozen=True, slots=True)
class Summary:
    """``goods`` and ``charges`` (delivery) are what was invoiced; their totals add up to ``total``.

    ``reference`` is SEQR's ersReference of the payment, once there is one; ``pay_code`` is what the QR code
    of the latest invoice says.
    """

    id: str
    state: str
    title: str
    ordered_at: datetime
    goods: tuple[Line, ...]
    charges: tuple[Line, ...]
    taxes: tuple[Tax, ...]
    total: Money
    customer: Customer
    reference: str | None
    invoice_reference: str | None
    pay_code: str | None


_ABOUT = (
    *("id", "state", "title", "created_at", "amount", "currency"),
    *("ers_reference", "invoice_reference", "invoice_qr_code"),
    *(f"customer_{name}" for name in Customer.__dataclass_fields__),
)
_SUMMARIES = (
    select(*(purchases.c[name] for name in _ABOUT), *LINE_COLUMNS)
    .join_from(purchases, purchase_lines, purchase_lines.c.purchase_id == purchases.c.id)
    .order_by(purchases.c.id, purchase_lines.c.position)
)
_READ = Reading(_SUMMARIES.where(purchases.c.id == bindparam("purchase_id")))
_READ_SOME = _SUMMARIES.where(purchases.c.id.in_(bindparam("purchase_ids", expanding=True)))


def read(connection: Connection, purchase_id: str) -> Summary:
    """Read what a letter about the purchase tells, in one statement. Raises PurchaseUnknown."""
    rows = _READ.all(connection, purchase_id=purchase_id)
    if not rows:
        raise PurchaseUnknown(f"There is no purchase {purchase_id}.")
    return _of_rows(rows)


def read_some(connection: Connection, purchase_ids: Collection[str]) -> dict[str, Summary]:
    """The same of those purchases that are there, by id."""
    found = connection.execute(_READ_SOME, {"purchase_ids": list(purchase_ids)})
    return {id_: _of_rows(list(rows)) for id_, rows in groupby(found, lambda row: row[0])}


def _of_rows(rows: Sequence[Sequence[Any]]) -> Summary:
    """A purchase, whose every line has a row."""
    its = len(_ABOUT)
    row = dict(zip(_ABOUT, rows[0], strict=False))
    lines = [line_of(line[its:], row["currency"]) for line in rows]
    return _summary(row, [line for line in lines if line.kind is not LineKind.STOCK])


def taxes(lines: Sequence[Line]) -> tuple[Tax, ...]:
    """The tax included in the lines, by rate, the highest first; nothing for a rate of 0.

    It is reckoned once for all lines of a rate, and rounded half up.
    """
    by_rate: defaultdict[Decimal, list[Money]] = defaultdict(list)
    for line in lines:
        by_rate[line.tax_rate].append(line.total)
    return tuple(
        Tax(rate, _included(total(amounts, amounts[0].currency), rate))
        for rate, amounts in sorted(by_rate.items(), reverse=True)
        if rate > 0
    )


def _included(gross: Money, rate: Decimal) -> Money:
    exact = gross.value * rate / (100 + rate)
    return Money(exact.quantize(smallest_unit(gross.currency), ROUND_HALF_UP), gross.currency)


def _summary(row: Mapping[str, Any], lines: Sequence[Line]) -> Summary:
    # A bundle invoiced as one row is a charge too, but one for a product.
    goods = tuple(line for line in lines if line.product_token is not None)
    return Summary(
        id=row["id"],
        state=row["state"],
        title=row["title"],
        ordered_at=row["created_at"],
        goods=goods,
        charges=tuple(line for line in lines if line.product_token is None),
        taxes=taxes(lines),
        total=Money(row["amount"], row["currency"]),
        customer=Customer(*(row[f"customer_{name}"] for name in Customer.__dataclass_fields__)),
        reference=row["ers_reference"],
        invoice_reference=row["invoice_reference"],
        pay_code=row["invoice_qr_code"],
    )
