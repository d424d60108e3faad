"""Planted bugs around the stock and the books."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from itertools import count
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection

from orchestrator import attempt, goods, journal, stock, watch
from orchestrator.purchase import Order, Purchase, load
from orchestrator.stamp import Stamp


def no_hold() -> AbstractContextManager[object]:
    """The goods of an order are looked at and not held."""

    def hold(*_: object) -> str:
        return ""

    return patch.object(stock, "hold", hold)


def keep_hold() -> AbstractContextManager[object]:
    """What failed keeps its goods."""
    return patch.object(stock, "release", lambda *_: None)


def take_twice() -> AbstractContextManager[object]:
    """What is paid takes its goods from the stock, and its process takes them again."""
    take = stock.take

    def again(connection: Connection, purchase_id: str, *rest: Any) -> str:
        missing = take(connection, purchase_id, *rest)
        if not missing:
            needs = goods.of_purchase(connection, purchase_id).needs
            goods.move(connection, goods.ON_HAND, needs, on_hand=-1, reserved=0)
        return missing

    return patch.object(stock, "take", again)


def forget_entry() -> AbstractContextManager[object]:
    """Attention marks are written without a row in the journal."""

    def mark(
        connection: Connection, purchase: Purchase, attention: str | None, stamp: Stamp, **changes: Any
    ) -> Purchase:
        values = {**changes, "attention": attention, "revision": purchase.revision + 1}
        return journal.touch(connection, purchase, **values)

    return patch.object(journal, "mark", mark)


def twins() -> AbstractContextManager[object]:
    """The same order again is another order."""
    numbers = count()
    return patch.object(Order, "request_key", lambda _: f"order {next(numbers)}")


@contextmanager
def double_outcome() -> Iterator[None]:
    """Outcomes are written onto what was read before SEQR was asked, without comparing."""
    read: dict[str, Purchase] = {}

    def look(connection: Connection, purchase_id: str) -> watch.Watched:
        found = watch.Watched(load(connection, purchase_id), attempt.of_purchase(connection, purchase_id))
        read[purchase_id] = found.purchase
        return found

    def stale(connection: Connection, *of: Any) -> attempt.Matter:
        found = _matter_of(connection, *of)
        before = read.get(found.purchase.id, found.purchase)
        return replace(found, purchase=before._replace(revision=found.purchase.revision))

    with patch.object(watch, "look", look), patch.object(attempt, "matter_of", stale):
        yield


_matter_of = attempt.matter_of
