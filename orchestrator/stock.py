"""The stock: what is on hand, what is reserved for open purchases, and every movement of either.

On hand never falls below zero, and nothing is promised twice: whoever changes a product locks it, looks, and
then changes it; the database's own constraints stand behind that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from orchestrator.errors import OrchestratorError
from orchestrator.identity import new_id
from orchestrator.stamp import Stamp
from orchestrator.tables import bundle_parts, products, purchase_lines, purchases, stock_movements
from statemachine import State

LARGEST_STOCK = 1_000_000_000
Needs = Mapping[str, int]
"""How many of each product, by token."""


class StockError(OrchestratorError):
    """The stock cannot be changed so."""

    code = "stock_error"


def needs_of(connection: Connection, purchase_id: str) -> Needs:
    """What a purchase takes from the stock."""
    lines = purchase_lines.c
    statement = (
        select(lines.product_token, func.sum(lines.quantity))
        .where(lines.purchase_id == purchase_id, lines.kind.in_(("goods", "stock")))
        .group_by(lines.product_token)
    )
    return {token: int(quantity) for token, quantity in connection.execute(statement)}


def hold(connection: Connection, purchase_id: str, round_: int, needs: Needs, stamp: Stamp) -> str:
    """Reserve all of ``needs`` or nothing; returns what is missing, in words, or an empty text."""
    missing = _missing(connection, needs, products.c.on_hand - products.c.reserved)
    if not missing:
        _change(connection, needs, reserved=1)
        _note(connection, purchase_id, round_, needs, "hold", stamp=stamp, reserved=1)
    return missing


def release(connection: Connection, purchase_id: str, round_: int, stamp: Stamp) -> None:
    """Give back what was held; paid purchases that lacked it are looked at again."""
    needs = needs_of(connection, purchase_id)
    missing = _missing(connection, needs, products.c.reserved)
    if missing:
        raise StockError(f"Purchase {purchase_id} cannot give back what was not reserved: {missing}.")
    _change(connection, needs, reserved=-1)
    _note(connection, purchase_id, round_, needs, "release", stamp=stamp, reserved=-1)
    wake_waiting(connection, needs, stamp.at)


def take(connection: Connection, purchase_id: str, round_: int, held: bool, stamp: Stamp) -> str:
    """Take the goods of a paid purchase, all or nothing; returns what is missing, or an empty text.

    ``held`` goods are taken from the reserved ones. Goods that are not held any more are taken only from
    what no other purchase was promised.
    """
    needs = needs_of(connection, purchase_id)
    free = products.c.on_hand if held else products.c.on_hand - products.c.reserved
    reserved = -1 if held else 0
    missing = _missing(connection, needs, free)
    if not missing:
        _change(connection, needs, on_hand=-1, reserved=reserved)
        _note(connection, purchase_id, round_, needs, "take", stamp=stamp, on_hand=-1, reserved=reserved)
    return missing


def receive(connection: Connection, token: str, change: int, reason: str, actor: str, at: datetime) -> None:
    """Add to what is on hand (or take away, with a negative ``change``).

    Raises:
        StockError: no such product, it is a bundle, or less than nothing would be left.
    """
    on_hand = _on_hand(connection, token)
    left = on_hand + change
    if change == 0 or not 0 <= left <= LARGEST_STOCK:
        raise StockError(f"{token} has {on_hand} on hand: a change of {change} would leave {left}.")
    kind = "receive" if change > 0 else "remove"
    _move_on_hand(connection, token, change, kind, reason, actor, at)


def correct(connection: Connection, token: str, on_hand: int, reason: str, actor: str, at: datetime) -> None:
    """Set what is on hand to what was counted. Raises StockError."""
    change = on_hand - _on_hand(connection, token)
    if not 0 <= on_hand <= LARGEST_STOCK:
        raise StockError(f"{token} cannot have {on_hand} on hand.")
    if change:
        _move_on_hand(connection, token, change, "correct", reason, actor, at)


def _on_hand(connection: Connection, token: str) -> int:
    on_hand = connection.execute(
        select(products.c.on_hand).where(products.c.token == token).with_for_update()
    ).scalar_one_or_none()
    if on_hand is None:
        raise StockError(f"There is no product {token}.")
    bundle = select(bundle_parts.c.part_token).where(bundle_parts.c.bundle_token == token).limit(1)
    if connection.execute(bundle).first():
        raise StockError(f"{token} is a bundle: change the stock of its parts.")
    return int(on_hand)


def _move_on_hand(
    connection: Connection, token: str, change: int, kind: str, reason: str, actor: str, at: datetime
) -> None:
    connection.execute(
        update(products)
        .where(products.c.token == token)
        .values(on_hand=products.c.on_hand + change, updated_at=at)
    )
    movement = _movement(None, 0, token, kind, stamp=Stamp(actor, at), reason=reason, on_hand=change)
    connection.execute(insert(stock_movements).values(movement))
    if change > 0:
        wake_waiting(connection, [token], at)


def wake_waiting(connection: Connection, tokens: Iterable[str], at: datetime) -> None:
    """Paid purchases that lacked one of these products are looked at again at once."""
    lines = purchase_lines.c
    waiting = select(lines.purchase_id).where(lines.product_token.in_(list(tokens)))
    connection.execute(
        update(purchases)
        .where(purchases.c.state == State.PAID.value, purchases.c.id.in_(waiting))
        .values(next_check_at=at)
    )


def _missing(connection: Connection, needs: Needs, enough: ColumnElement[int]) -> str:
    """What is not there, in words, or an empty text; nobody else changes these products before our commit.

    So a delivery that is being booked in right now is either seen here, or sees the purchase that waits for
    it. Tokens in order, so that two purchases never wait for each other.
    """
    locked = (
        select(products.c.token, enough)
        .where(products.c.token.in_(list(needs)))
        .order_by(products.c.token)
        .with_for_update(key_share=True)
    )
    left = {token: max(number, 0) for token, number in connection.execute(locked)}
    for token, quantity in sorted(needs.items()):
        if left.get(token, 0) < quantity:
            return f"{quantity} × {token} ({left.get(token, 0)} left)"
    return ""


def _change(connection: Connection, needs: Needs, *, on_hand: int = 0, reserved: int = 0) -> None:
    """Change each product by so many times its need."""
    for token, quantity in needs.items():
        connection.execute(
            update(products)
            .where(products.c.token == token)
            .values(
                on_hand=products.c.on_hand + on_hand * quantity,
                reserved=products.c.reserved + reserved * quantity,
            )
        )


def _note(
    connection: Connection,
    purchase_id: str,
    round_: int,
    needs: Needs,
    kind: str,
    *,
    stamp: Stamp,
    on_hand: int = 0,
    reserved: int = 0,
) -> None:
    connection.execute(
        insert(stock_movements),
        [
            _movement(
                purchase_id,
                round_,
                token,
                kind,
                stamp=stamp,
                on_hand=on_hand * quantity,
                reserved=reserved * quantity,
            )
            for token, quantity in sorted(needs.items())
        ],
    )


def _movement(
    purchase_id: str | None,
    round_: int,
    token: str,
    kind: str,
    *,
    stamp: Stamp,
    reason: str = "",
    on_hand: int = 0,
    reserved: int = 0,
) -> dict[str, object]:
    return {
        "id": new_id(),
        "product_token": token,
        "purchase_id": purchase_id,
        "round": round_,
        "at": stamp.at,
        "kind": kind,
        "on_hand": on_hand,
        "reserved": reserved,
        "reason": reason,
        "actor": stamp.actor,
    }
