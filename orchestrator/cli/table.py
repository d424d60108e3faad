"""Rows of text under a header, for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

_GAP = "  "


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> str:
    """Columns as wide as their widest cell; those named in ``right`` (numbers) end at the same place."""
    lines = [header, *rows]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(header))]
    aligned = [name in right for name in header]
    return "\n".join(
        _GAP.join(_padded(*cell) for cell in zip(line, widths, aligned, strict=True)).rstrip()
        for line in lines
    )


def plain(text: str) -> str:
    """What customers wrote must not steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _padded(cell: str, width: int, to_right: bool) -> str:
    space = " " * (width - cell_len(cell))
    return space + cell if to_right else cell + space
