"""Envelopes that are prepared once for each shape of a call; then only the values are put in.

zeep takes 0.2 ms and more for an envelope, and all but a few words of it are the same every time. So it
writes one with marks where the values belong, and that is kept. A test holds both to the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import count
from operator import itemgetter
from typing import Any

from orchestrator.seqr.mask import KEPT_CHARACTERS, MASK, Mask
from orchestrator.seqr.request import Fields

_SHAPES_KEPT = 256
_MARK = re.compile("\ue000([0-9]+)\ue001")
_FIRST_NUMBER = 9_000_000_000
"""From here on numbers stand for values, until the marks do: nothing else in an envelope has ten digits."""

Shape = tuple[tuple[str, Any], ...]
"""The names of fields, each with the type of its value, its own shape, or a list of shapes."""

_REFERENCE, _PASSWORD = "clientReference", "password"
_FIRST: Shape = ((_REFERENCE, str), (_PASSWORD, str))
"""Of every context: what is new each time, and what nobody may see."""


class Envelope:
    """One call as it goes out (``sent``) and, for people, with the password masked."""

    __slots__ = ("_template", "_values", "sent")

    def __init__(self, template: _Template, values: list[str]) -> None:
        self._template, self._values = template, values
        self.sent = template.filled(values).encode()

    def shown(self, mask: Mask) -> str:
        """What ``mask`` makes of the text; where the password belongs is known, so it is seldom searched."""
        reference, password, *rest = self._values
        text = self._template.filled([reference, password and MASK, *rest])
        if len(text) <= KEPT_CHARACTERS and mask.missing_from(text):
            return text
        return mask.keep(self._template.filled(self._values))


class Letterhead:
    """Writes what ``create`` writes, and calls it once for each shape; who writes stands in it already."""

    def __init__(self, create: Callable[[str, Fields], bytes], context: Fields) -> None:
        """``context`` is the ClientContext without its clientReference. All texts, here and in ``write``,
        are legible already (``characters.legible``)."""
        self._create = create
        self._head = [_escaped(str(context[_PASSWORD]))]
        rest = {name: value for name, value in context.items() if name != _PASSWORD}
        self._context = (*_FIRST, *_shape(rest, self._head))
        self._prepared = lru_cache(_SHAPES_KEPT)(self._prepare)

    def write(self, operation: str, reference: str, fields: Fields) -> Envelope:
        """The envelope of a call whose clientReference is ``reference``. Raises what ``create`` raises for a
        shape that is new."""
        values = [_escaped(reference), *self._head]
        shape = _shape(fields, values)
        return Envelope(self._prepared(operation, shape), values)

    def _prepare(self, operation: str, shape: Shape) -> _Template:
        numbers = count()
        marked = {"context": _marked(self._context, numbers), **_marked(shape, numbers)}
        text = self._create(operation, marked).decode()
        used = next(numbers)
        for place in range(used):
            text = text.replace(str(_FIRST_NUMBER + place), f"\ue000{place}\ue001")
        pieces = _MARK.split(text)
        places = [int(place) for place in pieces[1::2]]
        assert sorted(places) == list(range(used)), f"{operation} lost or repeated a value"
        return _Template("%s".join(piece.replace("%", "%%") for piece in pieces[::2]), itemgetter(*places))


@dataclass(frozen=True, slots=True)
class _Template:
    """A text with ``%s`` where values belong, and how to pick those in the order of their places."""

    text: str
    picked: Callable[[list[str]], tuple[str, ...]]

    def filled(self, values: list[str]) -> str:
        return self.text % self.picked(values)


def _shape(fields: Mapping[str, Any], values: list[str]) -> Shape:
    """The shape of ``fields``; their values are added to ``values`` as they are written."""
    shape: list[tuple[str, Any]] = []
    for name, value in fields.items():
        kind: Any = type(value)
        if kind is str:
            values.append(value if value.isalnum() else _escaped(value))
        elif kind is dict:
            kind = _shape(value, values)
        elif kind is Decimal:
            values.append(format(value, "f"))
        elif kind is list:
            kind = ("each", *[_shape(item, values) for item in value])
        elif value is not None:
            values.append(str(value))
        else:
            continue
        shape.append((name, kind))
    return tuple(shape)


def _escaped(text: str) -> str:
    # A carriage return as it stands would be read as a line feed.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


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
