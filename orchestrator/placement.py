"""Placing an order: the first commit of a purchase, with its hold on the stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select

from orchestrator import allowance, batch, catalogue, goods, in_turn, issuing, journal, search, stock
from orchestrator.batch import Reading
from orchestrator.catalogue import Offer, Product
from orchestrator.identity import new_id
from orchestrator.invoice import Draft
from orchestrator.pricing import Line, LineKind, invoice_total, price, write_lines
from orchestrator.purchase import (
    UNPAID,
    Order,
    Purchase,
    UnknownPurchaseToken,
    find_by_request,
    find_open,
)
from orchestrator.settings import Settings
from orchestrator.stamp import CUSTOMER, Stamp
from orchestrator.tables import purchases
from statemachine import Reason, State, Trigger

ACTOR = CUSTOMER
_SOLD_OUT_REMEMBERED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Placed:
    """The purchase that answers an order.

    ``draft`` is the invoice to send now; None when the order was placed before, or when it failed because
    ``missing`` is not empty. ``offer`` is what was ordered.
    """

    purchase_id: str
    draft: Draft | None = None
    missing: str = ""
    offer: Offer | None = None


@dataclass(frozen=True, slots=True)
class _Ground:
    """What an order is decided on: what it is for, the purchase that it made before and is unpaid, and how
    many unpaid purchases the customer has."""

    offer: Offer | None
    twin: str | None = None
    unpaid: int = 0


_TWIN = (
    select(purchases.c.id)
    .where(purchases.c.request_key == bindparam("request_key"), UNPAID)
    .scalar_subquery()
)
_GROUND_BY_PHONE, _GROUND_BY_MAIL = (
    Reading(catalogue.BY_TOKEN.add_columns(_TWIN, unpaid)) for unpaid in (in_turn.OF_PHONE, in_turn.OF_MAIL)
)


def place(
    connection: Connection, order: Order, settings: Settings, at: datetime, known: Offer | None = None
) -> Placed:
    """Receive an order: hold the stock, write the purchase, its lines and its first invoice attempt.

    The same order again, while its purchase is unpaid, finds that purchase. An order that the stock cannot
    fulfil is kept as failed, once, so that the merchant sees what could have been sold.

    With a ``known`` offer nothing is read before it is written: that goes through if the offer stands still,
    the stock has it, and the customer has neither a twin nor too many unpaid purchases.

    Raises:
        UnknownPurchaseToken: nothing for sale has that token.
        TooManyUnpaid: the customer, or all together, hold too much that is not paid; nothing is kept.
        LostRace: a twin of the order came first, or all is not as it was known to be: run it again, and it
            finds out what is.
    """
    key = order.request_key()
    ground = _look(connection, order, key) if known is None else _Ground(known)
    if ground.twin is not None:
        return Placed(ground.twin)
    offer = ground.offer
    if offer is None or not offer.product.for_sale:
        raise UnknownPurchaseToken(f"Nothing with the token {order.purchase_token} is for sale here.")
    allowance.admit(connection, order, ground.unpaid, settings)
    if known is not None:
        catalogue.still_offered(connection, known)
    lines = price(offer.product, offer.parts, settings)
    stamp, wanted = Stamp(ACTOR, at), goods.of_products(_needs(lines), offer.parts or [offer.product])
    purchase_id = new_id(at)
    missing = stock.hold(connection, purchase_id, 1, wanted, stamp, settings.unpaid_share)
    new = _New(purchase_id, order, key, offer.product, lines, stamp)
    if missing:
        assert known is None, "what is known was enough when it was read"
        return _sold_out(connection, new, missing)
    allowance.leave_some(wanted, settings)
    purchase = _write(connection, new, holds=1)
    attempt_id, after = issuing.begin(connection, purchase, 1, settings, at)
    return Placed(purchase_id, Draft(after, lines, attempt_id, at), offer=offer)


def _look(connection: Connection, order: Order, key: str) -> _Ground:
    reading = _GROUND_BY_PHONE if order.msisdn else _GROUND_BY_MAIL
    rows = reading.all(
        connection, wanted=order.purchase_token, request_key=key, phone=order.msisdn, mail=order.email
    )
    if rows:
        product, (*_, twin, unpaid) = catalogue.of_rows(rows), rows[0]
        return _Ground(Offer(product, catalogue.parts_of(connection, product)), twin, unpaid)
    earlier = find_open(connection, key)
    return _Ground(None, None if earlier is None else earlier.id)


def _needs(lines: Sequence[Line]) -> goods.Needs:
    return {
        line.product_token: line.quantity
        for line in lines
        if line.product_token is not None and line.kind is not LineKind.CHARGE
    }


@dataclass(frozen=True, slots=True)
class _New:
    """A purchase that is to be written."""

    id: str
    order: Order
    request_key: str
    product: Product
    lines: Sequence[Line]
    stamp: Stamp


def _sold_out(connection: Connection, new: _New, missing: str) -> Placed:
    before = find_by_request(connection, new.request_key)
    if (
        before is not None
        and before.reason == Reason.OUT_OF_STOCK.value
        and before.received_at > new.stamp.at - _SOLD_OUT_REMEMBERED
    ):
        return Placed(before.id, missing=missing)
    journal.move(
        connection,
        _write(connection, new, holds=0),
        Trigger.RUN_OUT,
        new.stamp,
        f"The stock lacks {missing}.",
        reason=Reason.OUT_OF_STOCK,
    )
    return Placed(new.id, missing=missing)


def _write(connection: Connection, new: _New, holds: int) -> Purchase:
    order, at = new.order, new.stamp.at
    amount = invoice_total(new.lines, new.product.price.currency)
    found_by = search.terms(order.name, order.email, order.msisdn)
    row: dict[str, Any] = {
        "id": new.id,
        "state": State.RECEIVED.value,
        "revision": 1,
        "purchase_token": order.purchase_token,
        "title": new.product.title,
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
        "request_key": new.request_key,
        "holds_stock": holds > 0,
        "holds": holds,
        "checks_failed": 0,
        "received_at": at,
        "created_at": at,
        "updated_at": at,
    }
    batch.add(connection, purchases, row)
    journal.begin(connection, new.id, new.stamp, f"The customer ordered {new.product.title}.")
    write_lines(connection, new.id, new.lines)
    search.write(connection, new.id, found_by)
    read: list[Any] = [row.get(name) for name in Purchase._fields]
    return Purchase(*read)
