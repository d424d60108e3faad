"""Trouble: when nobody could have asked SEQR, so that a reversed payment is nobody's fault."""

from __future__ import annotations

from dataclasses import dataclass

PATIENCE = 20.0
"""Seconds after which SEQR takes back a payment that nobody asked about (facts, rule 1)."""

CLEAR = 8.0
"""So many seconds without trouble are enough to ask about every open invoice: two checks are at most 4 s
apart, whatever went wrong before, and the rest is for the calls themselves."""

OFTEN = 10.0
"""No open invoice is asked about less often, in seconds, unless something is in the way."""


@dataclass(slots=True)
class _Stretch:
    """Trouble for one purchase, or for all."""

    kind: str
    purchase_id: str | None
    since: float
    until: float


class Trouble:
    """What kept us from asking, and when.

    A payment may be reversed only if its 20 seconds had no clear stretch of ``CLEAR`` seconds. A stretch is
    clear when all the while SEQR could be reached, the database could be reached, some process was alive and
    not frozen, and no single fault struck: neither a unit of work of anybody, nor a call to SEQR about this
    purchase, nor a process that died.
    """

    def __init__(self) -> None:
        self._all: list[_Stretch] = []
        self._now: dict[str, _Stretch] = {}

    def begin(self, kind: str, at: float) -> None:
        """From now on nobody can ask about anything."""
        if kind not in self._now:
            self._now[kind] = _Stretch(kind, None, at, float("inf"))
            self._all.append(self._now[kind])

    def end(self, kind: str, at: float) -> None:
        """This is over."""
        if stretch := self._now.pop(kind, None):
            stretch.until = at

    def strike(self, kind: str, at: float, purchase_id: str | None = None, lasting: float = 0.0) -> None:
        """A single fault, which may have lost the ask that was just due."""
        self._all.append(_Stretch(kind, purchase_id, at, at + lasting))

    def clear_stretch(
        self, purchase_id: str, since: float, end: float, long: float = CLEAR
    ) -> tuple[float, float] | None:
        """The first clear stretch of so many seconds between two moments; None if there was none."""
        clear_since = since
        for stretch in sorted(self._all, key=lambda stretch: stretch.since):
            if stretch.purchase_id not in (None, purchase_id) or stretch.until < since:
                continue
            if stretch.since >= end:
                break
            if stretch.since - clear_since >= long:
                return clear_since, stretch.since
            clear_since = max(clear_since, stretch.until)
        return (clear_since, end) if end - clear_since >= long else None
