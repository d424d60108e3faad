"""The list of products: one page of it, the counts of its tabs, and who waits for what."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select, true

from orchestrator.catalogue import Product, find_many
from orchestrator.tables import bundle_parts, products, purchase_lines, purchases
from statemachine import State

PAGE = 50
"""Rows on a page."""

SHOWN = ("sale", "low", "out", "bundles", "withdrawn")
SORTS = ("title", "token", "on_hand", "reserved", "available", "price")

_P, _B = products.c, bundle_parts.c
_part = products.alias("part")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which products: one of ``SHOWN`` (empty for all), found by ``q``."""

    show: str = ""
    q: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """How they are sorted, by one of ``SORTS``; the token decides between equals."""

    by: str = "title"
    down: bool = False


@dataclass(frozen=True, slots=True)
class ProductPage:
    """One page of the list. ``waiting`` has by token how many paid purchases wait for the product."""

    rows: tuple[Product, ...]
    waiting: Mapping[str, int]
    counts: Mapping[str, int]
    number: int
    more: bool


def read_page(connection: Connection, which: Filter, order: Order, number: int, low: int) -> ProductPage:
    """The page ``number``, from 1; ``low`` is from how few on a product is marked."""
    levels = _levels()
    listed = select(levels.c.token).where(_found(levels, which.q), _kinds(levels, low)[which.show])
    start = (number - 1) * PAGE
    chosen = listed.order_by(*_sorted(levels, order)).offset(start).limit(PAGE + 1)
    tokens = list(connection.execute(chosen).scalars())
    found = find_many(connection, tokens[:PAGE])
    return ProductPage(
        rows=tuple(found[token] for token in tokens[:PAGE]),
        waiting=waiting(connection, tokens[:PAGE]),
        counts=_count(connection, levels, which.q, low),
        number=number,
        more=len(tokens) > PAGE,
    )


def waiting(connection: Connection, tokens: Collection[str]) -> dict[str, int]:
    """How many paid purchases lack each of the products; those that nobody waits for are left out."""
    lacking = _lacking(tokens).subquery()
    statement = select(lacking.c.product_token, func.count()).group_by(lacking.c.product_token)
    return {row[0]: row[1] for row in connection.execute(statement)}


def read_waiting(connection: Connection, token: str, most: int) -> list[Any]:
    """The paid purchases that lack the product, oldest first: id, customer_name, title, quantity,
    created_at."""
    lacking = _lacking([token]).subquery()
    c = purchases.c
    statement = (
        select(c.id, c.customer_name, c.title, lacking.c.quantity, c.created_at)
        .join(lacking, lacking.c.purchase_id == c.id)
        .order_by(c.id)
        .limit(most)
    )
    return list(connection.execute(statement))


def suggestions(connection: Connection, most: int) -> list[tuple[str, str]]:
    """Token and title of what a bundle may be made of; none where there are more than ``most``."""
    bundles = select(_B.bundle_token)
    statement = select(_P.token, _P.title).where(_P.token.not_in(bundles)).order_by(_P.title).limit(most + 1)
    found = [(row[0], row[1]) for row in connection.execute(statement)]
    return found if len(found) <= most else []


def users_of(connection: Connection, token: str) -> list[tuple[str, str]]:
    """Token and title of the bundles that contain the product."""
    statement = (
        select(_P.token, _P.title)
        .join(bundle_parts, _B.bundle_token == _P.token)
        .where(_B.part_token == token)
        .order_by(_P.title)
    )
    return [(row[0], row[1]) for row in connection.execute(statement)]


def _lacking(tokens: Collection[str]) -> Select[Any]:
    """Paid purchases that wait for stock, and of which product they need more than is free."""
    lines, needed = purchase_lines.c, func.sum(purchase_lines.c.quantity)
    free = _P.on_hand - _P.reserved
    return (
        select(lines.purchase_id, lines.product_token, needed.label("quantity"))
        .join(purchases, purchases.c.id == lines.purchase_id)
        .join(products, _P.token == lines.product_token)
        .where(purchases.c.state == State.PAID.value, purchases.c.attention.is_not(None))
        .where(lines.kind.in_(("goods", "stock")), lines.product_token.in_(list(tokens)))
        .group_by(lines.purchase_id, lines.product_token, _P.on_hand, _P.reserved)
        .having(needed > free)
    )


def _levels() -> Any:
    """Each product with its levels; those of a bundle tell how many whole ones its parts make."""
    makes = (
        select(
            _B.bundle_token,
            func.min(_part.c.on_hand // _B.quantity).label("on_hand"),
            func.min(_free(_part.c) // _B.quantity).label("available"),
        )
        .join(_part, _part.c.token == _B.part_token)
        .group_by(_B.bundle_token)
        .subquery()
    )
    on_hand = func.coalesce(makes.c.on_hand, _P.on_hand)
    available = func.coalesce(makes.c.available, _free(_P))
    return (
        select(
            *(_P.token, _P.title, _P.sku, _P.ean, _P.price, _P.for_sale),
            makes.c.bundle_token.is_not(None).label("bundle"),
            on_hand.label("on_hand"),
            available.label("available"),
            case((makes.c.bundle_token.is_not(None), on_hand - available), else_=_P.reserved).label(
                "reserved"
            ),
        )
        .outerjoin(makes, makes.c.bundle_token == _P.token)
        .subquery("levels")
    )


def _free(columns: Any) -> ColumnElement[int]:
    return case((columns.on_hand > columns.reserved, columns.on_hand - columns.reserved), else_=0)


def _kinds(levels: Any, low: int) -> dict[str, ColumnElement[bool]]:
    """What each of ``SHOWN`` means. What is not for sale is neither low nor sold out."""
    c = levels.c
    return {
        "": true(),
        "sale": c.for_sale,
        "low": and_(c.for_sale, c.available > 0, c.available <= low),
        "out": and_(c.for_sale, c.available == 0),
        "bundles": c.bundle,
        "withdrawn": ~c.for_sale,
    }


def _found(levels: Any, text: str) -> ColumnElement[bool]:
    if not text:
        return true()
    c = levels.c
    return or_(*(column.icontains(text, autoescape=True) for column in (c.title, c.token, c.sku, c.ean)))


def _sorted(levels: Any, order: Order) -> list[ColumnElement[Any]]:
    column = levels.c[order.by]
    column = func.lower(column) if order.by in ("title", "token") else column
    return [column.desc() if order.down else column, levels.c.token]


def _count(connection: Connection, levels: Any, q: str, low: int) -> dict[str, int]:
    """How many products each tab has, of those that are found."""
    kinds = _kinds(levels, low)
    columns = [func.count(case((condition, 1))) for condition in kinds.values()]
    row = connection.execute(select(*columns).where(_found(levels, q))).one()
    return dict(zip(kinds, row, strict=True))
