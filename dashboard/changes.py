"""What a batch of events has changed in the list of purchases, as it goes out to those who look at it.

Made once for all who see the same: in one language, through one filter. Each purchase is told of once, as it
is after the last of its events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sse_starlette import ServerSentEvent

from dashboard.queries.purchases import Counts, PurchaseRow, lets_in
from orchestrator.search import Query
from orchestrator.selection import Filter

Draw = Callable[[str, PurchaseRow], str]
"""A row as HTML in a language."""
Numbers = tuple[tuple[str, int], ...]
"""Those above the list, each with the name that it has there."""


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows of the list. ``query`` is how the filter's ``q`` was understood; ``arrivals`` is the
    lowest id of an event that can bring something new to it, None where nothing is told to arrive."""

    language: str
    filter: Filter
    query: Query | None
    arrivals: int | None


@dataclass(frozen=True, slots=True)
class _Told:
    """A changed row, ``event`` being the last that it comes after, and what may be said of it."""

    event: int
    row: PurchaseRow
    changed: bytes
    out: bytes
    arrival: bytes


class Changes:
    """Rows, each with the id of the last event that it comes after, lowest first, and the counts."""

    def __init__(self, rows: Sequence[tuple[str, PurchaseRow]], counts: Counts, draw: Draw) -> None:
        above = {"all": counts.total, "attention": counts.attention}
        self.numbers: Numbers = tuple({**counts.by_state, **above}.items())
        self._rows = rows
        self._draw = draw
        self._first = min((int(event) for event, _ in rows), default=0)
        self._told: dict[str, list[_Told]] = {}
        self._messages: dict[tuple[View, Numbers], bytes] = {}

    def message(self, view: View, seen: Numbers, number: Callable[[int], str]) -> bytes:
        """What a page is told that has ``seen`` these numbers; ``number`` writes one in its language. Empty
        when there is nothing to tell."""
        if view.arrivals is not None and view.arrivals <= self._first:
            view = replace(view, arrivals=0)
        if (view, seen) not in self._messages:
            pieces = (*self._of_rows(view), *self._of_numbers(seen, number))
            self._messages[view, seen] = b"".join(pieces)
        return self._messages[view, seen]

    def _of_rows(self, view: View) -> Iterator[bytes]:
        for told in self._in(view.language):
            yield told.changed
            if not lets_in(view.filter, view.query, told.row):
                yield told.out
            elif view.arrivals is not None and told.event >= view.arrivals:
                yield told.arrival

    def _of_numbers(self, seen: Numbers, number: Callable[[int], str]) -> Iterator[bytes]:
        before = dict(seen)
        for name, value in self.numbers:
            if before.get(name) != value:
                yield ServerSentEvent(event=f"n-{name}", data=number(value)).encode()

    def _in(self, language: str) -> list[_Told]:
        if language not in self._told:
            self._told[language] = [self._tell(language, *entry) for entry in self._rows]
        return self._told[language]

    def _tell(self, language: str, event: str, row: PurchaseRow) -> _Told:
        def said(name: str, data: str) -> bytes:
            return ServerSentEvent(event=name, data=data, id=event).encode()

        changed = said(f"p-{row.id}", self._draw(language, row))
        return _Told(int(event), row, changed, said("out", row.id), said("arrival", row.id))
