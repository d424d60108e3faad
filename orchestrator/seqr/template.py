"""Envelopes that are prepared once for each shape of a call; then only the values are put in.

zeep takes 0.2 ms and more for an envelope, and all but a few words of it are the same every time. So it
writes one with marks where the values belong, and that is kept. A test holds both to the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import count
from typing import Any
from xml.sax.saxutils import escape

from orchestrator.seqr.request import Fields

_SHAPES_KEPT = 256
_LINE_END = {"\r": "&#13;"}  # as it stands, it would be read as a line feed
_MARK = re.compile("\ue000([0-9]+)\ue001")
_FIRST_NUMBER = 9_000_000_000
"""From here on numbers stand for values, until the marks do: nothing else in an envelope has ten digits."""

Shape = tuple[tuple[str, Any], ...]
"""The names of fields, each with the type of its value, its own shape, or a list of shapes."""


class Templates:
    """Writes what ``create`` writes, and calls it once for each shape."""

    def __init__(self, create: Callable[[str, Fields], bytes]) -> None:
        self._create = create
        self._prepared = lru_cache(_SHAPES_KEPT)(self._prepare)

    def write(self, operation: str, fields: Fields) -> bytes:
        """The envelope of a call, whose texts are legible already (``characters.legible``). Raises what
        ``create`` raises for a shape that is new."""
        values: list[str] = []
        pieces, places = self._prepared(operation, _shape(fields, values))
        written = [pieces[0]]
        for piece, place in zip(pieces[1:], places, strict=True):
            written += (escape(values[place], _LINE_END), piece)
        return "".join(written).encode()

    def _prepare(self, operation: str, shape: Shape) -> tuple[list[str], list[int]]:
        """The text between the values, and which value comes next after each piece of it."""
        numbers = count()
        marked = _marked(shape, numbers)
        text = self._create(operation, marked).decode()
        used = next(numbers)
        for place in range(used):
            text = text.replace(str(_FIRST_NUMBER + place), f"\ue000{place}\ue001")
        pieces = _MARK.split(text)
        places = [int(place) for place in pieces[1::2]]
        assert sorted(places) == list(range(used)), f"{operation} lost or repeated a value"
        return pieces[::2], places


def _shape(fields: Fields, values: list[str]) -> Shape:
    """The shape of ``fields``; their values are added to ``values`` as they are written."""
    shape: list[tuple[str, Any]] = []
    for name, value in fields.items():
        if isinstance(value, Mapping):
            shape.append((name, _shape(value, values)))
        elif isinstance(value, list):
            shape.append((name, ("each", *(_shape(item, values) for item in value))))
        elif value is not None:
            shape.append((name, type(value)))
            values.append(format(value, "f") if isinstance(value, Decimal) else str(value))
    return tuple(shape)


def _marked(shape: Shape, numbers: count[int]) -> dict[str, object]:
    """Fields of this shape, with a mark for each value."""
    return {name: _mark(kind, numbers) for name, kind in shape}


def _mark(kind: Any, numbers: count[int]) -> object:
    if isinstance(kind, type):
        number = next(numbers)
        return f"\ue000{number}\ue001" if kind is str else _number(kind, _FIRST_NUMBER + number)
    if kind[:1] == ("each",):
        return [_marked(item, numbers) for item in kind[1:]]
    return _marked(kind, numbers)


def _number(kind: type, number: int) -> int | Decimal:
    assert kind in (int, Decimal), f"no field is a {kind.__name__}"
    return Decimal(number) if kind is Decimal else number
