"""The catalogue: what is for sale, read in one query, bundles with their parts."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from orchestrator import batch, stocktaking
from orchestrator.batch import Reading
from orchestrator.bundle import conflicts
from orchestrator.catalogue_edit import Plan, compare, stock_changes, write
from orchestrator.money import Money
from orchestrator.portions import portions
from orchestrator.product import (
    CatalogueError,
    Part,
    Piece,
    Product,
    ProductChange,
    ProductEdited,
    ProductUnknown,
    plain,
    problems,
)
from orchestrator.tables import bundle_parts, products

__all__ = [
    "CatalogueError",
    "Part",
    "Piece",
    "Product",
    "ProductChange",
    "ProductEdited",
    "ProductUnknown",
    "add",
    "edit",
    "find",
    "find_many",
    "list_products",
    "parts_of",
    "plan",
    "save",
    "save_all",
]

REASON = "set in the catalogue"
"""Why the stock was moved, on the movements that a change of ``on_hand`` makes."""

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
BY_TOKEN = _ROWS.where(products.c.token == bindparam("wanted"))
"""The rows of the product or bundle that is ``wanted``: a row, or one for each part."""
_FIND = Reading(BY_TOKEN)
_Read: Any = namedtuple("_Read", BY_TOKEN.selected_columns.keys())  # type: ignore[misc]


def find(connection: Connection, token: str) -> Product | None:
    """The product or bundle with that token, for sale or not."""
    rows = _FIND.all(connection, wanted=token)
    return of_rows(rows) if rows else None


@dataclass(frozen=True, slots=True)
class Offer:
    """A product as it was read, with the parts that it is made of, if it is a bundle."""

    product: Product
    parts: Sequence[Product]


def still_offered(connection: Connection, offer: Offer) -> None:
    """The unit of work goes through only while nobody has edited the offer since it was read."""
    for each in (offer.product, *offer.parts):
        batch.must(connection, _UNEDITED, {"token": each.token, "revision": each.revision})


_UNEDITED = Reading(
    select(products.c.token).where(
        products.c.token == bindparam("token"), products.c.revision == bindparam("revision")
    )
)


def of_rows(rows: Sequence[Sequence[Any]]) -> Product:
    """The product of the rows that ``BY_TOKEN`` finds; what they hold beside it is left out."""
    return _product([_Read(*row[: len(_Read._fields)]) for row in rows])


def find_many(connection: Connection, tokens: Collection[str]) -> dict[str, Product]:
    """Those of the products that exist, by token."""
    return {
        product.token: product
        for some in portions(sorted(tokens))
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


def plan(connection: Connection, changes: Sequence[ProductChange]) -> Plan:
    """Say what ``changes`` (each of another product) would do, together; nothing is written.

    Raises:
        CatalogueError: what is wrong with which product.
    """
    _check_each(changes)
    return _compare(connection, changes)


def save(connection: Connection, change: ProductChange, actor: str, at: datetime) -> tuple[Product, bool]:
    """Make or change one product; returns it, and whether it is new. Raises CatalogueError."""
    done = save_all(connection, [change], actor, at)
    product = find(connection, change.token)
    assert product is not None
    return product, bool(done.created)


def add(connection: Connection, change: ProductChange, actor: str, at: datetime) -> Plan:
    """Make one product that is not there yet. Raises CatalogueError, also when its token is taken."""
    _check_each([change])
    if find(connection, change.token) is not None:
        raise CatalogueError({change.token: {"token": "is taken by another product"}})
    return save_all(connection, [change], actor, at)


def edit(connection: Connection, change: ProductChange, revision: int, actor: str, at: datetime) -> Plan:
    """Change one product that somebody saw at ``revision``.

    Raises:
        ProductUnknown: there is no such product.
        ProductEdited: it is past that revision.
        CatalogueError: it cannot be so.
    """
    _check_each([change])
    _lock(connection, [change])
    product = find(connection, change.token)
    if product is None:
        raise ProductUnknown(f"There is no product {change.token}.")
    if product.revision != revision:
        raise ProductEdited
    return save_all(connection, [change], actor, at)


def save_all(connection: Connection, changes: Sequence[ProductChange], actor: str, at: datetime) -> Plan:
    """Make all ``changes``; returns what was done.

    Raises:
        CatalogueError: what is wrong with which product.
        LostRace: another one made the same product at the same time.
    """
    _check_each(changes)
    _lock(connection, changes)
    done = _compare(connection, changes)
    write(connection, done, at)
    stocktaking.correct_many(connection, stock_changes(done), REASON, actor, at)
    return done


def _products(connection: Connection, statement: Select[Any]) -> Iterator[Product]:
    for _, rows in groupby(connection.execute(statement), key=lambda row: row.token):
        yield _product(list(rows))


def _product(rows: Sequence[Any]) -> Product:
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
        revision=first.revision,
    )


def _read_part(row: Any) -> Part:
    return Part(row.part_token, row.part_title, row.quantity)


def _bundles(rows: Sequence[Any]) -> tuple[int, int]:
    """How many whole bundles the parts make: of what is on hand, and of what is not reserved."""
    return (
        min(row.part_on_hand // row.quantity for row in rows),
        min(_available(row.part_on_hand, row.part_reserved) // row.quantity for row in rows),
    )


def _available(on_hand: int, reserved: int) -> int:
    """A counted stock may be less than what was promised before; then nothing is left."""
    return max(on_hand - reserved, 0)


def _check_each(changes: Sequence[ProductChange]) -> None:
    """Before anything is looked for: a database takes no NUL in a token, for one."""
    _refuse({change.token: problems(change) for change in changes})


def _compare(connection: Connection, changes: Sequence[ProductChange]) -> Plan:
    before = find_many(connection, _neighbourhood(connection, changes))
    _refuse(conflicts(before, changes))
    _refuse(_still_awaited(connection, before, changes))
    return compare(before, changes)


def _refuse(by_token: Mapping[str, Mapping[str, str]]) -> None:
    wrong = {token: fields for token, fields in by_token.items() if fields}
    if wrong:
        raise CatalogueError(wrong)


def _mentioned(changes: Iterable[ProductChange]) -> set[str]:
    """The products and their parts."""
    return {token for change in changes for token in (change.token, *(part.token for part in change.bundle))}


def _neighbourhood(connection: Connection, changes: Sequence[ProductChange]) -> set[str]:
    """The products, their parts, and the bundles that they are part of."""
    tokens = _mentioned(changes)
    for some in portions(sorted(change.token for change in changes)):
        users = select(bundle_parts.c.bundle_token).where(bundle_parts.c.part_token.in_(some))
        tokens.update(connection.execute(users).scalars())
    return tokens


def _lock(connection: Connection, changes: Sequence[ProductChange]) -> None:
    """Keep products and parts as they are until the commit; in order, so that two imports do not block each
    other. SQLite has one writer and needs no lock."""
    for some in portions(sorted(_mentioned(changes))):
        connection.execute(
            select(products.c.token)
            .where(products.c.token.in_(some))
            .order_by(products.c.token)
            .with_for_update(key_share=True)
        ).all()


def _still_awaited(
    connection: Connection, before: Mapping[str, Product], changes: Iterable[ProductChange]
) -> dict[str, dict[str, str]]:
    """Paid purchases wait for the product; as a bundle it could never come into stock again."""
    turned = {change.token for change in changes if change.bundle and change.token in before}
    turned = {token for token in turned if not before[token].bundle}
    if not turned:
        return {}
    problem = "is not possible while a paid purchase waits for this product"
    return {token: {"bundle": problem} for token in stocktaking.awaited(connection, turned)}
