"""How long things took, as a histogram of few numbers that several processes' can be added up from.

Each bucket's upper bound is 2 to the power of an eighth above the one before it, from 1 ms to 64 s. So a
percentile read from it is wrong by less than a tenth, whoever counted and however much.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

_PER_DOUBLING = 8
_LAST = 16 * _PER_DOUBLING
"""The last bucket holds all that took longer than 64 s."""
_SHORTEST, _LONGEST = 1.0, 2.0 ** (_LAST / _PER_DOUBLING)
"""Milliseconds, of the first bucket and the last."""


@dataclass(slots=True)
class Latency:
    """Counted durations; ``counts`` has only buckets that hold some. At most 129 of them."""

    counts: dict[int, int] = field(default_factory=dict)

    @classmethod
    def merged(cls, several: Iterable[Latency]) -> Latency:
        """All of them as one."""
        total = cls()
        for each in several:
            total.add(each)
        return total

    @property
    def number(self) -> int:
        """How many were counted."""
        return sum(self.counts.values())

    def note(self, milliseconds: float) -> None:
        """Count one."""
        bucket = _bucket(milliseconds)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1

    def add(self, other: Latency) -> None:
        """Count all that the other did."""
        for bucket, number in other.counts.items():
            place = min(max(bucket, 0), _LAST)
            self.counts[place] = self.counts.get(place, 0) + number

    def percentile(self, share: float) -> float | None:
        """The milliseconds within which ``share`` (0.5 for the median) of them ended; None for none.

        Within a bucket they are taken to lie evenly.
        """
        rank, below = share * self.number, 0
        for bucket, number in sorted(self.counts.items()):
            if below + number >= rank:
                lower = _bound(bucket - 1) if bucket else 0.0
                return lower + (_bound(bucket) - lower) * (rank - below) / number
            below += number
        return None


def _bucket(milliseconds: float) -> int:
    if milliseconds <= _SHORTEST:
        return 0
    return math.ceil(_PER_DOUBLING * math.log2(milliseconds)) if milliseconds < _LONGEST else _LAST


def _bound(bucket: int) -> float:
    """The longest duration in the bucket, in milliseconds."""
    return float(2.0 ** (bucket / _PER_DOUBLING))
