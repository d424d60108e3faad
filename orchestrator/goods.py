"""Goods that a purchase moves together: how many of what, the stock of each, and the statements that move
them only if there is enough still."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, and_, bindparam, func, or_, select, text, update

from orchestrator import batch
from orchestrator.batch import Reading
from orchestrator.product import Product
from orchestrator.statement import Statement
from orchestrator.tables import products, purchase_lines

Needs = Mapping[str, int]
"""How many of each product, by token."""


@dataclass(frozen=True, slots=True)
class Level:
    """How much of a product there is, and how much of that is promised."""

    on_hand: int
    reserved: int


@dataclass(frozen=True, slots=True)
class Supply:
    """What goods are moved from: how much that is, and the statement that moves them if it is enough."""

    left: Callable[[Level], int]
    statement: Statement


@dataclass(frozen=True, slots=True)
class Goods:
    """How many of each product, by token, and the stock of each as it was read."""

    needs: Needs
    levels: Mapping[str, Level]

    def missing(self, supply: Supply) -> str:
        """What is not there, in words, or an empty text."""
        for token, quantity in sorted(self.needs.items()):
            left = max(supply.left(self.levels[token]), 0) if token in self.levels else 0
            if left < quantity:
                return f"{quantity} × {token} ({left} left)"
        return ""


def of_purchase(connection: Connection, purchase_id: str) -> Goods:
    """What a purchase takes from the stock."""
    rows = _OF_PURCHASE.all(connection, purchase_id=purchase_id)
    return Goods(
        {token: int(quantity) for token, quantity, *_ in rows},
        {token: Level(*level) for token, _, *level in rows if None not in level},
    )


def of_products(needs: Needs, read: Iterable[Product]) -> Goods:
    """The same of products that were read."""
    return Goods(needs, {each.token: Level(each.on_hand, each.reserved) for each in read})


def lock(connection: Connection, purchase_id: str) -> None:
    """Nobody else changes the stock of what a purchase takes before our commit. In order, so that two
    purchases never wait for each other."""
    _LOCK.all(connection, purchase_id=purchase_id)


def move(
    connection: Connection, supply: Supply, needs: Needs, *, on_hand: int, reserved: int, share: int = 100
) -> None:
    """Change the stock of each product by so many times its need. Where there is not enough of one any more,
    the unit of work has lost a race."""
    for token, quantity in sorted(needs.items()):
        change = {
            "of_token": token,
            "quantity": quantity,
            "more_on_hand": on_hand * quantity,
            "more_reserved": reserved * quantity,
            "share": share,
        }
        batch.must(connection, supply.statement, change, (products.name, token))


_P, _L = products.c, purchase_lines.c
_QUANTITY, _SHARE = bindparam("quantity", type_=Integer), bindparam("share", type_=Integer)
# Of a product with anything on hand one purchase may always have what it needs.
_LEAVES_SOME = or_((_P.reserved + _QUANTITY) * 100 <= _P.on_hand * _SHARE, _P.reserved == 0)

_MOVE = (
    update(products)
    .where(_P.token == bindparam("of_token"))
    .values(
        on_hand=_P.on_hand + bindparam("more_on_hand", type_=Integer),
        reserved=_P.reserved + bindparam("more_reserved", type_=Integer),
    )
)
FREE = Supply(
    lambda level: level.on_hand - level.reserved,
    Statement(_MOVE.where(_P.on_hand - _P.reserved >= _QUANTITY, _LEAVES_SOME)),
)
RESERVED = Supply(lambda level: level.reserved, Statement(_MOVE.where(_P.reserved >= _QUANTITY)))
ON_HAND = Supply(lambda level: level.on_hand, Statement(_MOVE.where(_P.on_hand >= _QUANTITY)))

_TAKEN = and_(_L.purchase_id == bindparam("purchase_id"), text("purchase_lines.kind IN ('goods', 'stock')"))
_OF_PURCHASE = Reading(
    select(_L.product_token, func.sum(_L.quantity), _P.on_hand, _P.reserved)
    .outerjoin_from(purchase_lines, products, _P.token == _L.product_token)
    .where(_TAKEN)
    .group_by(_L.product_token, _P.on_hand, _P.reserved)
)
_LOCK = Reading(
    select(_P.token)
    .where(_P.token.in_(select(_L.product_token).where(_TAKEN)))
    .order_by(_P.token)
    .with_for_update(key_share=True),
    locks=True,
)
