"""Pricing: what a purchase costs, line by line, from our own catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, select

from orchestrator import batch
from orchestrator.catalogue import Product
from orchestrator.money import Money, total
from orchestrator.settings import Settings
from orchestrator.tables import purchase_lines


class LineKind(StrEnum):
    """What a line does: move stock, stand on the invoice, or both."""

    GOODS = "goods"
    STOCK = "stock"
    CHARGE = "charge"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a purchase. ``total`` may be less than quantity × unit price: a bundle's rebate."""

    kind: LineKind
    product_token: str | None
    title: str
    quantity: int
    unit_price: Money
    total: Money
    tax_rate: Decimal
    sku: str | None = None
    ean: str | None = None


LINE_COLUMNS = [purchase_lines.c[field.name] for field in fields(Line)]
"""What a line is made of, in the order of its fields."""
_READ = batch.Reading(
    select(*LINE_COLUMNS)
    .where(purchase_lines.c.purchase_id == bindparam("purchase_id"))
    .order_by(purchase_lines.c.position)
)


def price(product: Product, parts: Sequence[Product], settings: Settings) -> list[Line]:
    """The lines for one piece of ``product`` and its delivery.

    ``parts`` are the products of a bundle in its order; empty for a plain product. By the setting
    ``bundle_rows`` a bundle is invoiced as its parts, the bundle's price split over them in proportion to
    their own prices, or as one row. The delivery charge applies in the shop's own currency.
    """
    return _goods(product, parts, settings.bundle_rows == "parts") + _delivery(product.price, settings)


def invoice_total(lines: Sequence[Line], currency: str) -> Money:
    """The sum of all that is invoiced."""
    return total((line.total for line in lines if line.kind is not LineKind.STOCK), currency)


def _goods(product: Product, parts: Sequence[Product], split: bool) -> list[Line]:
    if not parts:
        return [_line(LineKind.GOODS, product, 1, product.price)]
    quantities = [part.quantity for part in product.bundle]
    pairs = list(zip(parts, quantities, strict=True))
    if split:
        shares = product.price.split([part.price.value * quantity for part, quantity in pairs])
        return [
            _line(LineKind.GOODS, part, quantity, share)
            for (part, quantity), share in zip(pairs, shares, strict=True)
        ]
    nothing = Money.zero(product.price.currency)
    whole = _line(LineKind.CHARGE, product, 1, product.price)
    return [whole, *(_line(LineKind.STOCK, part, quantity, nothing) for part, quantity in pairs)]


def _line(kind: LineKind, product: Product, quantity: int, amount: Money) -> Line:
    return Line(
        kind,
        product.token,
        product.title,
        quantity,
        product.price,
        amount,
        product.tax_rate,
        product.sku,
        product.ean,
    )


def _delivery(goods: Money, settings: Settings) -> list[Line]:
    charge = settings.delivery
    if charge.value == 0 or charge.currency != goods.currency:
        return []
    if settings.delivery_free is not None and goods >= settings.delivery_free:
        return []
    return [Line(LineKind.CHARGE, None, "Delivery", 1, charge, charge, settings.delivery_tax_rate)]


def write_lines(connection: Connection, purchase_id: str, lines: Sequence[Line]) -> None:
    """Keep the lines as they are now: later changes of the catalogue do not touch a purchase."""
    rows = [_row(purchase_id, position, line) for position, line in enumerate(lines, start=1)]
    batch.add_all(connection, purchase_lines, rows)


def _row(purchase_id: str, position: int, line: Line) -> dict[str, Any]:
    return {
        "purchase_id": purchase_id,
        "position": position,
        "kind": line.kind.value,
        "product_token": line.product_token,
        "title": line.title,
        "quantity": line.quantity,
        "unit_price": line.unit_price.value,
        "total": line.total.value,
        "tax_rate": line.tax_rate,
        "sku": line.sku,
        "ean": line.ean,
    }


def read_lines(connection: Connection, purchase_id: str, currency: str) -> list[Line]:
    """The lines of a purchase, in order."""
    return [line_of(row, currency) for row in _READ.all(connection, purchase_id=purchase_id)]


def line_of(row: Sequence[Any], currency: str) -> Line:
    """A line from what ``LINE_COLUMNS`` hold."""
    kind, token, title, number, each, all_, *rest = row
    return Line(LineKind(kind), token, title, number, Money(each, currency), Money(all_, currency), *rest)
