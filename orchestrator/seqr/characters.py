"""Text that XML 1.0, and every database, can hold."""

from __future__ import annotations

import re

REPLACEMENT = "\ufffd"

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_KNOWN_ENCODINGS = frozenset({"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"})


def legible(text: str) -> str:
    """The text with every character that XML 1.0 forbids (NUL, most control characters, lone surrogates)
    replaced by U+FFFD, so that it can neither break a message nor vanish without a trace."""
    # What can be printed is legal, and Python knows that far faster than a search does.
    return text if text.isprintable() else _ILLEGAL.sub(REPLACEMENT, text)


def decoded(body: bytes) -> str:
    """The body as text to show to people: in the encoding it declares, else UTF-8, never failing."""
    return legible(body.decode(_encoding(body), errors="replace"))


def _encoding(body: bytes) -> str:
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    declared = _DECLARED.match(body[:200])
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    return name if name in _KNOWN_ENCODINGS else "utf-8"
