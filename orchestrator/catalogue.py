"""The catalogue: what is for sale, read in one query, bundles with their parts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from orchestrator.money import Money
from orchestrator.product import CatalogueError, Part, Piece, Product, ProductChange, ProductUnknown, plain
from orchestrator.tables import bundle_parts, products

__all__ = [
    "CatalogueError",
    "Part",
    "Piece",
    "Product",
    "ProductChange",
    "ProductUnknown",
    "find",
    "find_many",
    "list_products",
    "parts_of",
    "slices",
]

_SLICE = 1000
"""How many tokens one statement takes; databases limit its parameters."""

_part = products.alias("part")
_piece = bundle_parts.c
_ROWS: Select[Any] = (
    select(
        products,
        _piece.part_token,
        _piece.quantity,
        _part.c.title.label("part_title"),
        _part.c.on_hand.label("part_on_hand"),
        _part.c.reserved.label("part_reserved"),
    )
    .select_from(
        products.outerjoin(bundle_parts, _piece.bundle_token == products.c.token).outerjoin(
            _part, _part.c.token == _piece.part_token
        )
    )
    .order_by(products.c.token, _piece.position)
)


def find(connection: Connection, token: str) -> Product | None:
    """The product or bundle with that token, for sale or not."""
    rows = connection.execute(_ROWS.where(products.c.token == token)).all()
    return _product(rows) if rows else None


def find_many(connection: Connection, tokens: Collection[str]) -> dict[str, Product]:
    """Those of the products that exist, by token."""
    return {
        product.token: product
        for some in slices(sorted(tokens))
        for product in _products(connection, _ROWS.where(products.c.token.in_(some)))
    }


def parts_of(connection: Connection, product: Product) -> list[Product]:
    """The products that a bundle is made of, in its order; none for a plain product."""
    if not product.bundle:
        return []
    found = find_many(connection, [part.token for part in product.bundle])
    return [found[part.token] for part in product.bundle]


def list_products(connection: Connection) -> list[Product]:
    """All products and bundles, by token."""
    # Sorted here, because each database sorts text in its own way.
    return sorted(_products(connection, _ROWS), key=lambda product: product.token)


def slices(tokens: Sequence[str]) -> Iterator[Sequence[str]]:
    """The tokens in portions that fit into one statement."""
    for start in range(0, len(tokens), _SLICE):
        yield tokens[start : start + _SLICE]


def _products(connection: Connection, statement: Select[Any]) -> Iterator[Product]:
    for _, rows in groupby(connection.execute(statement), key=lambda row: row.token):
        yield _product(list(rows))


def _product(rows: Sequence[Row[Any]]) -> Product:
    """One product from its row, or a bundle from one row for each part."""
    first = rows[0]
    parts = () if first.part_token is None else tuple(_read_part(row) for row in rows)
    on_hand, available = (
        _bundles(rows) if parts else (first.on_hand, _available(first.on_hand, first.reserved))
    )
    return Product(
        token=first.token,
        title=first.title,
        price=Money(first.price, first.currency),
        tax_rate=plain(first.tax_rate),
        sku=first.sku,
        ean=first.ean,
        for_sale=first.for_sale,
        bundle=parts,
        on_hand=on_hand,
        reserved=on_hand - available if parts else first.reserved,
        available=available,
    )


def _read_part(row: Row[Any]) -> Part:
    return Part(row.part_token, row.part_title, row.quantity)


def _bundles(rows: Sequence[Row[Any]]) -> tuple[int, int]:
    """How many whole bundles the parts make: of what is on hand, and of what is not reserved."""
    return (
        min(row.part_on_hand // row.quantity for row in rows),
        min(_available(row.part_on_hand, row.part_reserved) // row.quantity for row in rows),
    )


def _available(on_hand: int, reserved: int) -> int:
    """A counted stock may be less than what was promised before; then nothing is left."""
    return max(on_hand - reserved, 0)
