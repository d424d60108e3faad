"""Pages of a filtered and sorted list of purchases, as quick at a million as at a hundred, at any depth.

No index fits every mixture of conditions, and no database guesses well which one to begin with. So it is
looked up, in three steps of which the first that gives a whole page is the last:

1. A condition that few purchases meet: those are read and held against the others.
2. Otherwise matches are dense, so a walk in the list's order soon has a page full; it is given up after a
   stretch of purchases, first a short one and then a long one.
3. What is left is rare: many meet each condition, few meet all. Every index entry in question is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, intersect, literal, select, tuple_, union
from sqlalchemy.sql.selectable import CompoundSelect

from orchestrator.criteria import Criterion, amounts, criteria, demands_state, times
from orchestrator.search import Query, understand
from orchestrator.selection import Filter
from orchestrator.tables import purchases

FEW = 5_000
STRETCHES = (2_500, 150_000)
"""The short one has the page of most lists; to look up where one ends takes longer the longer it is."""
STRETCHES_BY_AMOUNT = (500, 20_000)
"""Shorter: the purchases lie in the order of their ids, and all over the place by amount."""
MANY = 100_000

_BATCH = 1_000
_P = purchases.c
_PRIMARY_KEY = "sqlite_autoindex_purchases_1"
_BY_AMOUNT = "purchases_by_amount"


@dataclass(frozen=True, slots=True)
class Place:
    """A page begins after the purchase ``id``, or with ``backwards`` ends before it."""

    id: str
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class IdPage:
    """Ids in the list's order; ``more`` says whether others follow (or come before, going backwards)."""

    ids: tuple[str, ...]
    more: bool


def page(connection: Connection, which: Filter, size: int, place: Place | None = None) -> IdPage:
    """The ids of one page."""
    _tune(connection)
    query = understand(connection, which.q) if which.q else None
    found = _Search(connection, which, query, place).find(size + 1)
    ids = [id_ for _, id_ in found[:size]]
    if place is not None and place.backwards:
        ids.reverse()
    return IdPage(tuple(ids), len(found) > size)


def ids(connection: Connection, which: Filter, limit: int) -> list[str]:
    """The first ``limit`` ids of the whole list."""
    found: list[str] = []
    place = None
    while len(found) < limit:
        its = page(connection, which, min(_BATCH, limit - len(found)), place)
        found += its.ids
        if not its.more:
            break
        place = Place(its.ids[-1])
    return found


def _tune(connection: Connection) -> None:
    """PostgreSQL is to plan for the values at hand, and not to compile: that takes longer than reading."""
    if connection.dialect.name == "postgresql":
        wishes = {"jit": "off", "plan_cache_mode": "force_custom_plan", "random_page_cost": "1.1"}
        connection.execute(select(*(func.set_config(name, value, True) for name, value in wishes.items())))


_Found = list[tuple[Decimal, str]]


@dataclass(frozen=True, slots=True)
class _Branch:
    """A walk along one index: which SQLite is to take, and what its entries begin with."""

    index: str
    seek: tuple[ColumnElement[bool], ...] = ()


class _Search:
    """One page's search: the three steps."""

    def __init__(self, connection: Connection, which: Filter, query: Query | None, place: Place | None):
        self._connection = connection
        self._which = which
        self._words = query.words if query is not None else ()
        self._by_amount = which.sort.by_amount
        self._descending = which.sort.descending != (place is not None and place.backwards)
        self._place = self._beyond(place)
        id_bounds = times(which) if self._by_amount else [*times(which), *self._place]
        self._criteria = list(criteria(which, query, id_bounds))
        self._conditions = [part for criterion in self._criteria for part in criterion.condition]
        self._conditions += self._place

    def find(self, size: int) -> _Found:
        """Up to ``size`` purchases, in the order of going."""
        few = self._fewest()
        if few is not None:
            return self._among(_together(few.sources), size)
        for stretch in STRETCHES_BY_AMOUNT if self._by_amount else STRETCHES:
            found, is_page = self._walk(size, stretch)
            if is_page:
                return found
        return self._exhaust(size)

    def _beyond(self, place: Place | None) -> list[ColumnElement[bool]]:
        if place is None:
            return []
        if not self._by_amount:
            return [_P.id < place.id if self._descending else _P.id > place.id]
        amount = self._connection.execute(select(_P.amount).where(_P.id == place.id)).scalar()
        if amount is None:
            return []
        here, there = _amount_and_id(amount, place.id)
        return [here < there if self._descending else here > there]

    def _fewest(self) -> Criterion | None:
        """The condition that the fewest purchases meet, when these are few."""
        fewest, least = None, FEW + 1
        for criterion in self._criteria:
            number = self._count(criterion.sources, least)
            if number < least:
                fewest, least = criterion, number
        return fewest

    def _count(self, sources: Sequence[Select[Any]], limit: int) -> int:
        """How many ids these give, ``limit`` for more; one that comes twice counts twice."""
        parts = [source.limit(limit).subquery() for source in sources]
        counts = [select(func.count()).select_from(part).scalar_subquery() for part in parts]
        return min(sum(self._connection.execute(select(*counts)).one()), limit)

    def _among(self, ids: Select[Any] | CompoundSelect[Any], size: int) -> _Found:
        """Those of the ids that meet all conditions."""
        near = ids.cte("near").prefix_with("MATERIALIZED")
        order = [_P.amount, near.c.id] if self._by_amount else [near.c.id]
        statement = select(_P.amount, near.c.id).select_from(near.join(purchases, _P.id == near.c.id))
        statement = statement.where(*self._conditions).order_by(*self._turned(order)).limit(size)
        return self._rows(_by_index(statement, _PRIMARY_KEY))

    def _walk(self, size: int, stretch: int | None) -> tuple[_Found, bool]:
        """What a walk finds, and whether that is the page: it is full, or nothing more is to come."""
        found: _Found = []
        is_page = True
        for branch in self._branches():
            horizon = self._horizon(branch, stretch)
            its = self._rows(self._along(branch.index, [*self._conditions, *branch.seek, *horizon], size))
            is_page = is_page and (not horizon or len(its) == size)
            found += its
        found.sort(key=_by_amount if self._by_amount else _by_id, reverse=self._descending)
        return found[:size], is_page

    def _branches(self) -> list[_Branch]:
        which = self._which
        if self._by_amount:
            return [_Branch(_BY_AMOUNT, tuple(amounts(which)))]
        if which.attention:
            return [_Branch("purchases_attention", (_P.attention.is_not(None),))]
        if which.reason:
            return [_Branch("purchases_by_reason", (_P.reason == which.reason,))]
        if demands_state(which):
            return [_Branch("purchases_by_state", (_P.state == state,)) for state in which.states]
        return [_Branch(_PRIMARY_KEY)]

    def _horizon(self, branch: _Branch, stretch: int | None) -> list[ColumnElement[bool]]:
        """Not past the purchase that is ``stretch`` further along; no bound when the end comes before."""
        if stretch is None or (self._by_amount and not self._words and not self._which.attention):
            return []  # the index by amount holds all else that is asked about: all of it is soon read
        bounds = [*times(self._which), *self._place, *branch.seek]
        last = self._rows(self._along(branch.index, bounds, 1).offset(stretch))
        if not last:
            return []
        if not self._by_amount:
            return [_P.id >= last[0][1] if self._descending else _P.id <= last[0][1]]
        here, there = _amount_and_id(*last[0])
        return [here >= there if self._descending else here <= there]

    def _along(self, index: str, conditions: Sequence[ColumnElement[bool]], size: int) -> Select[Any]:
        """A walk along an index, that SQLite is told and PostgreSQL finds."""
        order = [_P.amount, _P.id] if self._by_amount else [_P.id]
        amount = _P.amount if self._by_amount else literal(Decimal(0), _P.amount.type)
        statement = select(amount, _P.id).where(*conditions).order_by(*self._turned(order)).limit(size)
        return _by_index(statement, index)

    def _exhaust(self, size: int) -> _Found:
        sources = [word.purchase_ids() for word in self._words]
        rare = [_together(its) for its in sources if self._count(its, MANY) < MANY]
        if rare:
            return self._among(intersect(*rare), size)
        amount_counts = self._which.low is not None or self._which.high is not None
        if amount_counts and not self._words and not self._which.attention:
            return self._rows(self._along(_BY_AMOUNT, self._conditions, size))
        return self._walk(size, None)[0]

    def _rows(self, statement: Select[Any]) -> _Found:
        return [(row[0], row[1]) for row in self._connection.execute(statement)]

    def _turned(self, columns: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        return [column.desc() if self._descending else column.asc() for column in columns]


def _together(sources: Sequence[Select[Any]]) -> Select[Any]:
    """Each id that any of the sources gives, once. (SQLite takes no compound within a compound.)"""
    if len(sources) == 1:
        return sources[0].distinct()
    return select(union(*sources).subquery().c.id)


def _by_index(statement: Select[Any], index: str) -> Select[Any]:
    """Without being told SQLite takes an index for one of the conditions that most purchases meet."""
    return statement.with_hint(purchases, f"INDEXED BY {index}", "sqlite")


def _amount_and_id(amount: Decimal, id_: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The two columns, and two values to compare them with."""
    values = literal(amount, _P.amount.type), literal(id_, _P.id.type)
    return tuple_(_P.amount, _P.id), tuple_(*values)


def _by_amount(found: tuple[Decimal, str]) -> tuple[Decimal, str]:
    return found


def _by_id(found: tuple[Decimal, str]) -> str:
    return found[1]
