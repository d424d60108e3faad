"""The shop's own books, read once all is over: what the audit holds against SEQR's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection, func, select

from orchestrator.replay import Step, Stored, disagreement
from orchestrator.tables import invoice_attempts, journal, outbox, products, purchases, stock_movements


@dataclass(frozen=True, slots=True)
class Purchase:
    """What became of one order."""

    id: str
    state: str
    attention: str | None
    is_watched: bool
    """Whether somebody is still to look at it."""


@dataclass(frozen=True, slots=True)
class Books:
    """Purchases and what belongs to them; ``disagreements`` is what the journals say otherwise."""

    purchases: dict[str, Purchase]
    of_invoice: dict[str, list[str]]
    """The purchases that an invoice reference belongs to."""
    mails: dict[str, list[str]]
    """Of each purchase the Message-IDs, left side, of the confirmations that went out."""
    unsent: int
    sold: Counter[str]
    """How many pieces left the stock for each purchase."""
    on_hand: int
    reserved: int
    disagreements: list[str]


def read(connection: Connection) -> Books:
    """All of it."""
    of_invoice: dict[str, list[str]] = {}
    c = invoice_attempts.c
    references = select(c.reference, c.purchase_id).where(c.reference.is_not(None))
    for reference, purchase_id in connection.execute(references):
        of_invoice.setdefault(reference, []).append(purchase_id)
    mails: dict[str, list[str]] = {}
    sent = select(outbox.c.purchase_id, outbox.c.message_id).where(outbox.c.state == "sent")
    for purchase_id, message_id in connection.execute(sent):
        mails.setdefault(purchase_id, []).append(message_id)
    unsent = select(func.count()).select_from(outbox).where(outbox.c.state != "sent")
    levels = select(func.sum(products.c.on_hand), func.sum(products.c.reserved))
    on_hand, reserved = connection.execute(levels).one()
    return Books(
        _purchases(connection),
        of_invoice,
        mails,
        connection.execute(unsent).scalar_one(),
        _sold(connection),
        on_hand,
        reserved,
        _disagreements(connection),
    )


def unfinished(connection: Connection) -> int:
    """How many purchases are not stocked, and how many mails not sent, together."""
    open_ones = select(func.count()).select_from(purchases).where(purchases.c.state != "stocked")
    unsent = select(func.count()).select_from(outbox).where(outbox.c.state != "sent")
    return int(connection.execute(open_ones).scalar_one() + connection.execute(unsent).scalar_one())


def _purchases(connection: Connection) -> dict[str, Purchase]:
    c = purchases.c
    rows = connection.execute(select(c.id, c.state, c.attention, c.next_check_at))
    return {row.id: Purchase(row.id, row.state, row.attention, row.next_check_at is not None) for row in rows}


def _sold(connection: Connection) -> Counter[str]:
    c = stock_movements.c
    rows = connection.execute(select(c.purchase_id, c.on_hand).where(c.purchase_id.is_not(None)))
    sold: Counter[str] = Counter()
    for purchase_id, change in rows:
        sold[purchase_id] -= change
    return sold


def _disagreements(connection: Connection) -> list[str]:
    """Every journal replayed."""
    c = purchases.c
    stored = connection.execute(select(*(c[name] for name in Stored.__slots__)).order_by(c.id))
    rows = select(*(journal.c[name] for name in Step.__slots__))
    steps = [Step(*row) for row in connection.execute(rows)]
    steps.sort(key=lambda step: (step.purchase_id, step.sequence))
    journals = {id_: list(some) for id_, some in groupby(steps, lambda step: step.purchase_id)}
    told = (disagreement(Stored(*row), journals.get(row.id, ())) for row in stored)
    return [sentence for sentence in told if sentence is not None]
