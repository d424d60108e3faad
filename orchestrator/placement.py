"""Placing an order: the first commit of a purchase, with its hold on the stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from orchestrator import allowance, attempt, catalogue, journal, search, stock
from orchestrator.catalogue import Product
from orchestrator.database import LostRace
from orchestrator.identity import new_id
from orchestrator.pricing import Line, LineKind, invoice_total, price, write_lines
from orchestrator.purchase import Order, UnknownPurchaseToken, find_by_request, find_open, load
from orchestrator.settings import Settings
from orchestrator.stamp import CUSTOMER, Stamp
from orchestrator.tables import purchases
from statemachine import Reason, State, Trigger

ACTOR = CUSTOMER
_SOLD_OUT_REMEMBERED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Placed:
    """The purchase that answers an order.

    ``attempt_id`` names the invoice to send now; None when the order was placed before, or when it failed
    because ``missing`` is not empty.
    """

    purchase_id: str
    attempt_id: str | None = None
    missing: str = ""


def place(connection: Connection, order: Order, settings: Settings, at: datetime) -> Placed:
    """Receive an order: hold the stock, write the purchase, its lines and its first invoice attempt.

    The same order again, while its purchase is unpaid, finds that purchase. An order that the stock cannot
    fulfil is kept as failed, once, so that the merchant sees what could have been sold.

    Raises:
        UnknownPurchaseToken: nothing for sale has that token.
        TooManyUnpaid: the customer, or all together, hold too much that is not paid; nothing is kept.
        LostRace: a twin of the order came first; the unit of work runs again and finds it.
    """
    twin = find_open(connection, order.request_key())
    if twin is not None:
        return Placed(twin.id)
    product = catalogue.find(connection, order.purchase_token)
    if product is None or not product.for_sale:
        raise UnknownPurchaseToken(f"Nothing with the token {order.purchase_token} is for sale here.")
    allowance.admit(connection, order, settings)
    lines = price(product, catalogue.parts_of(connection, product), settings)
    purchase_id, stamp, needs = new_id(at), Stamp(ACTOR, at), _needs(lines)
    missing = stock.hold(connection, purchase_id, 1, needs, stamp)
    if missing:
        return _sold_out(connection, purchase_id, order, product, lines, missing, stamp)
    allowance.leave_some(connection, needs, settings)
    _write(connection, purchase_id, order, product, lines, stamp, holds=1)
    return Placed(purchase_id, attempt.begin(connection, load(connection, purchase_id), settings, at))


def _needs(lines: Sequence[Line]) -> stock.Needs:
    return {
        line.product_token: line.quantity
        for line in lines
        if line.product_token is not None and line.kind is not LineKind.CHARGE
    }


def _sold_out(
    connection: Connection,
    purchase_id: str,
    order: Order,
    product: Product,
    lines: Sequence[Line],
    missing: str,
    stamp: Stamp,
) -> Placed:
    before = find_by_request(connection, order.request_key())
    if (
        before is not None
        and before.reason == Reason.OUT_OF_STOCK.value
        and before.received_at > stamp.at - _SOLD_OUT_REMEMBERED
    ):
        return Placed(before.id, missing=missing)
    _write(connection, purchase_id, order, product, lines, stamp, holds=0)
    journal.move(
        connection,
        load(connection, purchase_id),
        Trigger.RUN_OUT,
        stamp,
        f"The stock lacks {missing}.",
        reason=Reason.OUT_OF_STOCK,
    )
    return Placed(purchase_id, missing=missing)


def _write(
    connection: Connection,
    purchase_id: str,
    order: Order,
    product: Product,
    lines: Sequence[Line],
    stamp: Stamp,
    holds: int,
) -> None:
    amount = invoice_total(lines, product.price.currency)
    found_by = search.terms(order.name, order.email, order.msisdn)
    row = {
        "id": purchase_id,
        "state": State.RECEIVED.value,
        "revision": 1,
        "purchase_token": order.purchase_token,
        "title": product.title,
        "amount": amount.value,
        "currency": amount.currency,
        "customer_name": order.name,
        "customer_street": order.street,
        "customer_city": order.city,
        "customer_state": order.state,
        "customer_zip": order.zip,
        "customer_country": order.country,
        "customer_email": order.email,
        "customer_msisdn": order.msisdn,
        "search_text": search.search_text(found_by),
        "request_key": order.request_key(),
        "holds_stock": holds > 0,
        "holds": holds,
        "checks_failed": 0,
        "received_at": stamp.at,
        "created_at": stamp.at,
        "updated_at": stamp.at,
    }
    try:
        connection.execute(insert(purchases), row)
    except IntegrityError as error:
        raise LostRace("A twin of the order came first.") from error
    journal.begin(connection, purchase_id, stamp, f"The customer ordered {product.title}.")
    write_lines(connection, purchase_id, lines)
    search.write(connection, purchase_id, found_by)
