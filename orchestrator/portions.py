"""Many keys, in portions that fit into one statement: databases limit its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_PORTION = 1000


def portions(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """The keys in their order, some at a time."""
    for start in range(0, len(keys), _PORTION):
        yield keys[start : start + _PORTION]
