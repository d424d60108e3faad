"""Editing the catalogue: what changes do to what is there, and writing just that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, update
from sqlalchemy.exc import IntegrityError

from orchestrator.database import LostRace
from orchestrator.portions import portions
from orchestrator.product import Product, ProductChange, plain
from orchestrator.tables import bundle_parts, products


@dataclass(frozen=True, slots=True)
class Plan:
    """What changes would do to the catalogue. ``before`` holds the products as they are, by token."""

    before: Mapping[str, Product]
    created: tuple[ProductChange, ...]
    changed: tuple[ProductChange, ...]
    unchanged: tuple[ProductChange, ...]

    @property
    def written(self) -> tuple[ProductChange, ...]:
        return self.created + self.changed


def compare(before: Mapping[str, Product], changes: Sequence[ProductChange]) -> Plan:
    """Tell what is new, what is edited and what stays; ``before`` holds the products that exist."""
    created: list[ProductChange] = []
    changed: list[ProductChange] = []
    unchanged: list[ProductChange] = []
    for change in changes:
        product = before.get(change.token)
        if product is None:
            created.append(change)
        else:
            (changed if _edits(product, change) else unchanged).append(change)
    return Plan(before, tuple(created), tuple(changed), tuple(unchanged))


def write(connection: Connection, plan: Plan, at: datetime) -> None:
    """Write products and bundles, but no stock. Raises LostRace."""
    _insert(connection, plan.created, at)
    _update(connection, plan, at)
    _write_bundles(connection, plan)


def stock_changes(plan: Plan) -> dict[str, int]:
    """By how much the stock of which product has to change."""
    return {change.token: _stock_edit(plan.before.get(change.token), change) for change in plan.written}


def _columns(change: ProductChange) -> dict[str, Any]:
    return {
        "title": change.title,
        "price": change.price.value,
        "currency": change.price.currency,
        "tax_rate": plain(change.tax_rate),
        "sku": change.sku,
        "ean": change.ean,
        "for_sale": change.for_sale is not False,
    }


def _edited_columns(before: Product, change: ProductChange) -> dict[str, Any]:
    kept = {
        "title": before.title,
        "price": before.price.value,
        "currency": before.price.currency,
        "tax_rate": before.tax_rate,
        "sku": before.sku,
        "ean": before.ean,
        "for_sale": before.for_sale if change.for_sale is not None else True,
    }
    return {name: value for name, value in _columns(change).items() if value != kept[name]}


def _bundle_edited(before: Product | None, change: ProductChange) -> bool:
    parts = () if before is None else tuple((part.token, part.quantity) for part in before.bundle)
    return parts != tuple(tuple(piece) for piece in change.bundle)


def _stock_edit(before: Product | None, change: ProductChange) -> int:
    """The change of what is on hand. A bundle has no stock of its own, and starts at 0 as a plain product."""
    if change.on_hand is None or change.bundle:
        return 0
    return change.on_hand - (before.on_hand if before is not None and not before.bundle else 0)


def _edits(before: Product, change: ProductChange) -> bool:
    return bool(
        _edited_columns(before, change) or _bundle_edited(before, change) or _stock_edit(before, change)
    )


def _insert(connection: Connection, created: Sequence[ProductChange], at: datetime) -> None:
    if not created:
        return
    times = {"on_hand": 0, "reserved": 0, "created_at": at, "updated_at": at}
    try:
        connection.execute(
            insert(products), [{"token": change.token, **_columns(change), **times} for change in created]
        )
    except IntegrityError as error:
        raise LostRace("Another one made the same product at the same time.") from error


def _update(connection: Connection, plan: Plan, at: datetime) -> None:
    """One statement for each set of columns that is edited."""
    edits: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for change in plan.changed:
        before = plan.before[change.token]
        columns = _edited_columns(before, change)
        if columns or _bundle_edited(before, change):
            edits[tuple(columns)].append({"of_token": change.token, "at": at, **_prefixed(columns)})
    for names, rows in edits.items():
        values = {name: bindparam(f"new_{name}", type_=products.c[name].type) for name in names}
        connection.execute(
            update(products)
            .where(products.c.token == bindparam("of_token"))
            .values(
                revision=products.c.revision + 1,
                updated_at=bindparam("at", type_=products.c.updated_at.type),
                **values,
            ),
            rows,
        )


def _prefixed(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in columns.items()}


def _write_bundles(connection: Connection, plan: Plan) -> None:
    edited = [change for change in plan.written if _bundle_edited(plan.before.get(change.token), change)]
    for some in portions([change.token for change in edited]):
        connection.execute(delete(bundle_parts).where(bundle_parts.c.bundle_token.in_(some)))
    rows = [
        {
            "bundle_token": change.token,
            "part_token": piece.token,
            "position": position,
            "quantity": piece.quantity,
        }
        for change in edited
        for position, piece in enumerate(change.bundle, start=1)
    ]
    if rows:
        connection.execute(insert(bundle_parts), rows)
