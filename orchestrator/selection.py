"""Which purchases: a filter, and how they are sorted. ``candidates`` turns it into statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Sort(StrEnum):
    """The order of a list."""

    NEWEST = "newest"
    OLDEST = "oldest"
    AMOUNT_HIGH = "amount-high"
    AMOUNT_LOW = "amount-low"

    @property
    def by_amount(self) -> bool:
        return self in (Sort.AMOUNT_HIGH, Sort.AMOUNT_LOW)

    @property
    def descending(self) -> bool:
        return self in (Sort.NEWEST, Sort.AMOUNT_HIGH)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which purchases, in which order; an empty field lets everything through.

    ``since`` and ``until`` are aware; a purchase was made from ``since`` until just before ``until``.
    ``low`` and ``high`` bound the amount, both included, in whatever currency. ``q`` is what somebody typed
    to search (see ``search``).
    """

    states: tuple[str, ...] = ()
    reason: str = ""
    attention: bool = False
    since: datetime | None = None
    until: datetime | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    q: str = ""
    sort: Sort = Sort.NEWEST
