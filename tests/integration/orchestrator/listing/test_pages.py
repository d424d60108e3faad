"""Pages of a list: the same purchases in the same order as reading all of them would give, in each of the
three ways in which a page is found."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from orchestrator import listing, search
from orchestrator.database import Database
from orchestrator.listing import Place
from orchestrator.selection import Filter, Sort
from tests.fixtures.operations import keep_purchase
from tests.fixtures.shop import stocked

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEPS = {
    "few": (5_000, (500, 20_000), (500, 20_000), 100_000),
    "walk": (0, (500, 20_000), (500, 20_000), 0),
    "longer walk": (0, (3, 20_000), (3, 20_000), 0),
    "short walk": (0, (2, 3), (2, 3), 0),
    "words": (0, (2, 3), (2, 3), 10_000),
}
"""The bounds that lead to one way or another: FEW, STRETCHES, STRETCHES_BY_AMOUNT, MANY."""


@dataclass(frozen=True)
class Kept:
    """A purchase as it was written."""

    id: str
    state: str
    reason: str | None
    attention: str | None
    amount: Decimal
    at: datetime
    words: str
    token: str


FILTERS = {
    "all": Filter(),
    "one state": Filter(states=("failed",)),
    "two states": Filter(states=("paid", "invoiced")),
    "reason": Filter(reason="expired"),
    "attention": Filter(attention=True),
    "attention and state": Filter(states=("paid",), attention=True),
    "reason and state": Filter(states=("failed", "paid"), reason="expired"),
    "contradiction": Filter(states=("stocked",), reason="expired"),
    "time": Filter(since=START + timedelta(minutes=10), until=START + timedelta(minutes=40)),
    "amount": Filter(low=Decimal(100), high=Decimal(300)),
    "state, time and amount": Filter(
        states=("failed",), since=START + timedelta(minutes=10), low=Decimal(150)
    ),
    "word": Filter(q="anna"),
    "two words": Filter(q="sven ANNA"),
    "word and state": Filter(q="öberg", states=("stocked", "paid")),
    "word, attention and amount": Filter(q="anna", attention=True, high=Decimal(300)),
    "product": Filter(q="mug"),
    "product and name": Filter(q="asa set"),
    "nothing": Filter(q="nobody"),
}


def _keep_many(connection: Connection) -> list[Kept]:
    chance = random.Random(3)
    kept = []
    for number in range(50):
        state = chance.choice(("stocked", "stocked", "failed", "paid", "invoiced"))
        reason = chance.choice(("expired", "out_of_stock")) if state == "failed" else None
        attention = "Look!" if state == "paid" and chance.random() < 0.5 else None
        name = f"{chance.choice(('Anna', 'Åsa', 'Bo'))} {chance.choice(('Svensson', 'Öberg'))}"
        at, amount = START + timedelta(minutes=number), Decimal(chance.randrange(1, 20) * 25)
        token = chance.choice(("mug", "set"))
        values = {"state": state, "reason": reason, "attention": attention}
        customer = {"customer_name": name, "customer_email": "buyer@example.com"}
        id_ = keep_purchase(connection, at, amount=amount, purchase_token=token, **values, **customer)
        words = search.search_text(search.terms(name, "buyer@example.com", "46700000001"))
        kept.append(Kept(id_, state, reason, attention, amount, at, words, token))
    return kept


def expected(kept: list[Kept], which: Filter) -> list[str]:
    """What reading all of them gives."""
    texts = search.words(which.q)
    fits: list[Callable[[Kept], bool]] = [
        lambda one: not which.states or one.state in which.states,
        lambda one: not which.reason or one.reason == which.reason,
        lambda one: not which.attention or one.attention is not None,
        lambda one: which.since is None or one.at >= which.since,
        lambda one: which.until is None or one.at < which.until,
        lambda one: which.low is None or one.amount >= which.low,
        lambda one: which.high is None or one.amount <= which.high,
        lambda one: all(f" {text}" in one.words or text in one.token for text in texts),
    ]
    found = [one for one in kept if all(fit(one) for fit in fits)]
    key: Callable[[Kept], object] = lambda one: (one.amount, one.id) if which.sort.by_amount else one.id  # noqa: E731
    return [one.id for one in sorted(found, key=key, reverse=which.sort.descending)]  # type: ignore[arg-type]


def _all_pages(connection: Connection, which: Filter, size: int) -> tuple[list[str], list[str]]:
    """All ids page by page, and again from the last one backwards."""
    pages = [listing.page(connection, which, size)]
    while pages[-1].more:
        pages.append(listing.page(connection, which, size, Place(pages[-1].ids[-1])))
    there = [id_ for page in pages for id_ in page.ids]
    back: list[str] = []
    while there:
        page = listing.page(connection, which, size, Place(back[0] if back else there[-1], backwards=True))
        back = [*page.ids, *back]
        if not page.more:
            break
    return there, back


@pytest.mark.parametrize("step", STEPS)
async def test_every_filter_in_every_order_gives_what_reading_all_would(
    database: Database, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await database.write(stocked)
    kept = await database.write(_keep_many)
    for name, bound in zip(("FEW", "STRETCHES", "STRETCHES_BY_AMOUNT", "MANY"), STEPS[step], strict=True):
        monkeypatch.setattr(listing, name, bound)
    for name, plain in FILTERS.items():
        for sort in Sort:
            which = Filter(**{**{f: getattr(plain, f) for f in Filter.__slots__}, "sort": sort})
            there, back = await database.read(_all_pages, which, 11)
            assert there == expected(kept, which), (name, sort)
            assert back == there[:-1], (name, sort)


async def test_the_first_ids_of_a_list(database: Database) -> None:
    kept = await database.write(_keep_many)
    newest = [one.id for one in kept][::-1]
    assert await database.read(listing.ids, Filter(), 10) == newest[:10]
    assert await database.read(listing.ids, Filter(), 1000) == newest
    assert await database.read(listing.ids, Filter(), 0) == []


async def test_a_place_that_is_gone_begins_at_the_beginning_of_what_is_sorted_by_amount(
    database: Database,
) -> None:
    kept = await database.write(_keep_many)
    which = Filter(sort=Sort.AMOUNT_LOW)
    found = await database.read(listing.page, which, 5, Place("nowhere"))
    assert list(found.ids) == expected(kept, which)[:5]
