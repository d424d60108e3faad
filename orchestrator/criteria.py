"""The conditions of a filter, each with the statements that find its purchases by an index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from orchestrator.identity import first_id
from orchestrator.search import Query
from orchestrator.selection import Filter
from orchestrator.tables import purchases
from statemachine import State

_P = purchases.c

Conditions = Sequence[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition; its ``sources`` give the ids of all that meet it, each by one index."""

    condition: Conditions
    sources: Sequence[Select[Any]]


def criteria(which: Filter, query: Query | None, bounds: Conditions) -> Iterator[Criterion]:
    """What the filter demands. ``bounds`` are bounds of ids, within which an index looks for them."""
    if query is not None and query.words:
        yield from (Criterion([word.condition()], word.purchase_ids()) for word in query.words)
    elif query is not None:
        yield _found(query.condition())
    if which.attention:
        yield _found([_P.attention.is_not(None)], bounds)
    if which.reason:
        yield _found([_P.reason == which.reason], bounds)
    if demands_state(which):
        yield _found([_P.state.in_(which.states)], bounds)
    if which.since is not None or which.until is not None:
        yield _found(times(which))
    if which.low is not None or which.high is not None:
        yield _found(amounts(which))


def demands_state(which: Filter) -> bool:
    """Whether some states are out."""
    return bool(which.states) and set(which.states) != set(State)


def times(which: Filter) -> list[ColumnElement[bool]]:
    """Since ids carry the time that they were made at, times are bounds of ids."""
    after = [] if which.since is None else [_P.id >= first_id(which.since)]
    before = [] if which.until is None else [_P.id < first_id(which.until)]
    return [*after, *before]


def amounts(which: Filter) -> list[ColumnElement[bool]]:
    """The bounds of the amount."""
    low = [] if which.low is None else [_P.amount >= which.low]
    high = [] if which.high is None else [_P.amount <= which.high]
    return [*low, *high]


def _found(condition: Conditions, bounds: Conditions = ()) -> Criterion:
    return Criterion(condition, [select(_P.id).where(*condition, *bounds)])
