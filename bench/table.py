"""How every report that people read lays out its table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def laid_out(header: Sequence[str], lines: Iterable[Sequence[str]], texts: int | None = None) -> str:
    """A line each below ``header``. The first ``texts`` columns start at the left, numbers end at the right;
    without it all start at the left."""
    rows = [header, *lines]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = len(header) if texts is None else texts
    return "\n".join("  ".join(_padded(row, widths, left)).rstrip() for row in rows)


def _padded(row: Sequence[str], widths: Sequence[int], left: int) -> Iterable[str]:
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.ljust(width) if column < left else cell.rjust(width)
