"""The stock: what is on hand, what is reserved for open purchases, and every movement of either.

On hand never falls below zero, and nothing is promised twice: whoever changes a product locks it, looks, and
then changes it; the database's own constraints stand behind that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, func, insert, select, update

from orchestrator.errors import OrchestratorError
from orchestrator.movement import movement
from orchestrator.product import LARGEST_STOCK
from orchestrator.stamp import Stamp
from orchestrator.tables import bundle_parts, products, purchase_lines, purchases, stock_movements
from statemachine import State

Needs = Mapping[str, int]
"""How many of each product, by token."""


class StockError(OrchestratorError):
    """The stock cannot be changed so."""

    code = "stock_error"


class StockMoved(StockError):
    """The stock has moved since somebody looked at it.

    Attributes:
        seen, on_hand: what was on hand then, and what is now.
    """

    code = "stock_moved"

    def __init__(self, token: str, seen: int, on_hand: int) -> None:
        self.seen, self.on_hand = seen, on_hand
        super().__init__(f"{token} had {seen} on hand when you looked and has {on_hand} now: look again.")


class BookedAlready(StockError):
    """The same was booked since the form was drawn, so it was not booked a second time.

    Attributes:
        on_hand: what is there now, with what was booked.
    """

    code = "booked_already"

    def __init__(self, token: str, on_hand: int) -> None:
        self.on_hand = on_hand
        super().__init__(f"It was booked a moment ago, and not a second time: {token} has {on_hand} on hand.")


@dataclass(frozen=True, slots=True)
class Restock:
    """What a change made by hand did: how many were on hand and are now, and how many paid purchases that
    waited for the product are looked at again."""

    before: int
    after: int
    woken: int = 0


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
        _change(connection, needs, on_hand=0, reserved=1)
        _note(connection, purchase_id, round_, needs, "hold", stamp=stamp, on_hand=0, reserved=1)
    return missing


def release(connection: Connection, purchase_id: str, round_: int, stamp: Stamp) -> None:
    """Give back what was held; paid purchases that lacked it are looked at again."""
    needs = needs_of(connection, purchase_id)
    missing = _missing(connection, needs, products.c.reserved)
    if missing:
        raise StockError(f"Purchase {purchase_id} cannot give back what was not reserved: {missing}.")
    _change(connection, needs, on_hand=0, reserved=-1)
    _note(connection, purchase_id, round_, needs, "release", stamp=stamp, on_hand=0, reserved=-1)
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


def receive(
    connection: Connection, token: str, change: int, reason: str, actor: str, at: datetime, *, drawn: str = ""
) -> Restock:
    """Add to what is on hand (or take away, with a negative ``change``).

    ``drawn`` is an id that was made with the form: a button that is pressed twice sends the form twice.

    Raises:
        BookedAlready: the same person has booked just this since the form was drawn.
        StockError: no such product, it is a bundle, or less than nothing would be left.
    """
    on_hand = _on_hand(connection, token)
    if drawn and _booked_since(connection, drawn, token, change, reason, actor):
        raise BookedAlready(token, on_hand)
    left = on_hand + change
    if change == 0 or not 0 <= left <= LARGEST_STOCK:
        raise StockError(f"{token} has {on_hand} on hand: a change of {change} would leave {left}.")
    kind = "receive" if change > 0 else "remove"
    return _move_on_hand(connection, token, kind, Restock(on_hand, left), reason, Stamp(actor, at))


def correct(
    connection: Connection,
    token: str,
    on_hand: int,
    reason: str,
    actor: str,
    at: datetime,
    *,
    seen: int | None = None,
) -> Restock:
    """Set what is on hand to what was counted. ``seen`` is what was on hand when somebody looked.

    Raises:
        StockMoved: it is not ``seen`` any more.
        StockError: no such product, it is a bundle, or nobody can have so many.
    """
    before = _on_hand(connection, token)
    if seen is not None and seen != before:
        raise StockMoved(token, seen, before)
    if not 0 <= on_hand <= LARGEST_STOCK:
        raise StockError(f"{token} cannot have {on_hand} on hand.")
    counted = Restock(before, on_hand)
    if on_hand == before:
        return counted
    return _move_on_hand(connection, token, "correct", counted, reason, Stamp(actor, at))


def _booked_since(
    connection: Connection, drawn: str, token: str, change: int, reason: str, actor: str
) -> bool:
    c = stock_movements.c
    same = (c.product_token == token, c.on_hand == change, c.reason == reason, c.actor == actor)
    return connection.execute(select(c.id).where(c.id > drawn, *same).limit(1)).first() is not None


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
    connection: Connection, token: str, kind: str, levels: Restock, reason: str, stamp: Stamp
) -> Restock:
    change = levels.after - levels.before
    connection.execute(
        update(products)
        .where(products.c.token == token)
        .values(on_hand=products.c.on_hand + change, updated_at=stamp.at)
    )
    row = movement(token, kind, stamp, reason=reason, on_hand=change)
    connection.execute(insert(stock_movements), row)
    woken = wake_waiting(connection, [token], stamp.at) if change > 0 else 0
    return Restock(levels.before, levels.after, woken)


def wake_waiting(connection: Connection, tokens: Iterable[str], at: datetime) -> int:
    """Paid purchases that lacked one of these products are looked at again at once; returns how many."""
    lines = purchase_lines.c
    # Asked for each of the few paid purchases: the lines have no index by product.
    needs = exists().where(lines.purchase_id == purchases.c.id, lines.product_token.in_(list(tokens)))
    done = connection.execute(
        update(purchases).where(purchases.c.state == State.PAID.value, needs).values(next_check_at=at)
    )
    return done.rowcount


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


def _change(connection: Connection, needs: Needs, *, on_hand: int, reserved: int) -> None:
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
    on_hand: int,
    reserved: int,
) -> None:
    connection.execute(
        insert(stock_movements),
        [
            movement(
                token,
                kind,
                stamp,
                purchase_id=purchase_id,
                round_=round_,
                on_hand=on_hand * quantity,
                reserved=reserved * quantity,
            )
            for token, quantity in sorted(needs.items())
        ],
    )
