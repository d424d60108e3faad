"""Delivery: a paid purchase takes its goods from the stock and its customer is told, or it waits for them."""

from __future__ import annotations

from sqlalchemy import Connection

from orchestrator import erasure, journal, outbox, stock, stray, watch
from orchestrator.goods import Goods
from orchestrator.intent import ANYWAY, Intent
from orchestrator.purchase import Purchase
from orchestrator.stamp import Stamp
from statemachine import State, Trigger


def take_stock(connection: Connection, purchase_id: str, stamp: Stamp, intent: Intent = ANYWAY) -> Purchase:
    """Take the goods of a paid purchase, if they are there now; if not, let it rest until some arrive.

    Both in one commit: a delivery that is booked in meanwhile is either seen here, or finds the purchase
    resting and makes it due again. Raises Changed.
    """
    after = deliver(connection, intent.lock(connection, purchase_id, stamp), stamp)
    watch.rest(connection, purchase_id, stamp.at)
    return after


def deliver(
    connection: Connection, purchase: Purchase, stamp: Stamp, wanted: Goods | None = None
) -> Purchase:
    """Take the goods of a purchase that is paid. ``wanted`` is what was read of them already."""
    if purchase.state != State.PAID.value:
        return purchase
    if purchase.customer_erased_at:
        return journal.mark(connection, purchase, erasure.PAID_LATE, stamp)
    missing = stock.take(connection, purchase.id, purchase.holds, purchase.holds_stock, stamp, wanted)
    # A mark that is there may tell of a second payment, which outlives the delivery.
    too = stray.paid_too(connection, purchase) if purchase.attention else None
    if missing:
        why = f"Paid, but the stock lacks {missing}: restock it, then it goes on by itself; or refund it."
        return journal.mark(connection, purchase, " ".join(filter(None, (why, too))), stamp)
    outbox.enqueue(connection, purchase.id, "order_confirmation", purchase.customer_email, stamp.at)
    detail = "The goods were taken from the stock."
    after = journal.move(connection, purchase, Trigger.STOCK, stamp, detail, holds_stock=False)
    return journal.mark(connection, after, too, stamp)
