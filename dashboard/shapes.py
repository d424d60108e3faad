"""Texts that were made elsewhere, in English, with names and numbers in them: known again by their shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from dashboard.language import Language


def shown(language: Language, shapes: Mapping[str, str], written: str) -> str | None:
    """The text in the visitor's language: ``shapes`` has by what is written what is shown. The first that
    fits counts; None where none does."""
    for shape, text in shapes.items():
        if found := pattern(shape).fullmatch(written):
            return language.gettext(text, **found.groupdict())
    return None


def fits(shape: str, written: str) -> bool:
    """Whether the text has the shape."""
    return pattern(shape).fullmatch(written) is not None


@cache
def pattern(shape: str) -> re.Pattern[str]:
    """What finds ``%(name)s`` in texts of the shape."""
    pieces = re.split(r"%\((\w+)\)s", shape)
    texts = [f"(?P<{piece}>.+?)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces)]
    return re.compile("".join(texts), re.DOTALL)
