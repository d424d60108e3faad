"""Stocktaking: set what is on hand of many products to what was counted, in few statements.

``stock.correct`` does it for one. A catalogue import counts thousands, in one commit that nobody should have
to wait for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from orchestrator.movement import movement
from orchestrator.portions import portions
from orchestrator.stamp import Stamp
from orchestrator.stock import wake_waiting
from orchestrator.tables import products, purchase_lines, purchases, stock_movements
from statemachine import State


def correct_many(
    connection: Connection, changes: Mapping[str, int], reason: str, actor: str, at: datetime
) -> None:
    """Change what is on hand by ``changes`` (by token), with a movement for each, and wake the paid purchases
    that waited for what was found. The caller has locked the products and knows that nothing falls below 0.
    """
    moved = {token: change for token, change in sorted(changes.items()) if change}
    if not moved:
        return
    connection.execute(
        update(products)
        .where(products.c.token == bindparam("of_token"))
        .values(on_hand=products.c.on_hand + bindparam("change"), updated_at=bindparam("at")),
        [{"of_token": token, "change": change, "at": at} for token, change in moved.items()],
    )
    stamp = Stamp(actor, at)
    connection.execute(
        insert(stock_movements),
        [movement(token, "correct", stamp, reason=reason, on_hand=change) for token, change in moved.items()],
    )
    for some in portions([token for token, change in moved.items() if change > 0]):
        wake_waiting(connection, some, at)


def awaited(connection: Connection, tokens: Collection[str]) -> set[str]:
    """Those of the products that a paid purchase still has to get."""
    lines = purchase_lines.c
    statement = (
        select(lines.product_token)
        .distinct()
        .join(purchases, purchases.c.id == lines.purchase_id)
        .where(purchases.c.state == State.PAID.value, lines.product_token.in_(tokens))
    )
    return set(connection.execute(statement).scalars())
