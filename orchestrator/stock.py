"""The stock: what is on hand, what is reserved for open purchases, and every movement of either.

On hand never falls below zero, and nothing is promised twice: whoever changes a product locks it, looks, and
then changes it; the database's own constraints stand behind that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, insert, select, update

from orchestrator import batch, goods
from orchestrator.errors import OrchestratorError
from orchestrator.goods import Goods, Needs
from orchestrator.movement import movement
from orchestrator.product import LARGEST_STOCK
from orchestrator.stamp import Stamp
from orchestrator.tables import bundle_parts, products, purchase_lines, purchases, stock_movements
from statemachine import State


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


def hold(
    connection: Connection, purchase_id: str, round_: int, wanted: Goods, stamp: Stamp, share: int = 100
) -> str:
    """Reserve all that is ``wanted`` or nothing; returns what is missing, in words, or an empty text.

    ``share`` is how many percent of what is on hand may be reserved at most; one purchase's always may.
    """
    missing = wanted.missing(goods.FREE)
    if not missing:
        goods.move(connection, goods.FREE, wanted.needs, on_hand=0, reserved=1, share=share)
        _note(connection, purchase_id, round_, wanted.needs, "hold", stamp=stamp, on_hand=0, reserved=1)
    return missing


def release(connection: Connection, purchase_id: str, round_: int, stamp: Stamp) -> None:
    """Give back what was held; paid purchases that lacked it are looked at again."""
    held = goods.of_purchase(connection, purchase_id)
    missing = held.missing(goods.RESERVED)
    if missing:
        raise StockError(f"Purchase {purchase_id} cannot give back what was not reserved: {missing}.")
    goods.move(connection, goods.RESERVED, held.needs, on_hand=0, reserved=-1)
    _note(connection, purchase_id, round_, held.needs, "release", stamp=stamp, on_hand=0, reserved=-1)
    wake_waiting(connection, held.needs, stamp.at)


def take(
    connection: Connection,
    purchase_id: str,
    round_: int,
    held: bool,
    stamp: Stamp,
    wanted: Goods | None = None,
) -> str:
    """Take the goods of a paid purchase, all or nothing; returns what is missing, or an empty text.

    ``held`` goods are taken from the reserved ones. Goods that are not held any more are taken only from
    what no other purchase was promised. ``wanted`` are the goods, if they were read already.
    """
    wanted = wanted or goods.of_purchase(connection, purchase_id)
    supply, reserved = (goods.ON_HAND, -1) if held else (goods.FREE, 0)
    if wanted.missing(supply):
        # A delivery that is being booked in now is either seen here, or sees the purchase that waits for it.
        goods.lock(connection, purchase_id)
        wanted = goods.of_purchase(connection, purchase_id)
    missing = wanted.missing(supply)
    if not missing:
        goods.move(connection, supply, wanted.needs, on_hand=-1, reserved=reserved)
        _note(
            connection, purchase_id, round_, wanted.needs, "take", stamp=stamp, on_hand=-1, reserved=reserved
        )
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
    return connection.execute(select(c.id).where(c.id > drawn, *same)).first() is not None


def _on_hand(connection: Connection, token: str) -> int:
    on_hand = connection.execute(
        select(products.c.on_hand).where(products.c.token == token).with_for_update()
    ).scalar_one_or_none()
    if on_hand is None:
        raise StockError(f"There is no product {token}.")
    bundle = select(bundle_parts.c.part_token).where(bundle_parts.c.bundle_token == token)
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
    batch.add_all(
        connection,
        stock_movements,
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
