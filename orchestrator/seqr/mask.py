"""Keep the password out of everything that is stored, shown or logged."""

from __future__ import annotations

import re

MASK = "***"
KEPT_CHARACTERS = 64 * 1024
"""Of each request and answer this much text is kept, and a note where it was cut."""

_SHORT = 8
_LONGEST_ESCAPE = len("&#x10ffff;")
_IN_ELEMENT = r"(?P<tag><(?:[\w.-]+:)?password\b[^<>]*>)[^<]+"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}


class Mask:
    """Hides one password: in a ``password`` element of any kind, and wherever else its text stands.

    The text is found as it is and in every way that XML may escape it. A password under eight characters is
    hidden only where no letter or digit touches it: ``1234`` must not deface every reference that has it.
    """

    def __init__(self, password: str) -> None:
        self._longest = _LONGEST_ESCAPE * len(password)
        self._pattern = re.compile("|".join(filter(None, (_IN_ELEMENT, _literal(password)))), re.IGNORECASE)

    def hide(self, text: str) -> str:
        """The whole text, masked."""
        return self._pattern.sub(_masked, text)

    def keep(self, text: str, limit: int = KEPT_CHARACTERS) -> str:
        """The first ``limit`` characters, masked; a password across the cut is masked too."""
        if len(text) <= limit:
            return self.hide(text)
        kept: list[str] = []
        position = 0
        for match in self._pattern.finditer(text, 0, limit + self._longest):
            if match.start() >= limit:
                break
            kept += [text[position : match.start()], _masked(match)]
            position = match.end()
        return "".join([*kept, text[position:limit], f"… (cut: {len(text)} characters came)"])


def _masked(match: re.Match[str]) -> str:
    return (match["tag"] or "") + MASK


def _literal(password: str) -> str | None:
    if not password:
        return None
    text = "".join(_spellings(character) for character in password)
    return rf"(?<!\w){text}(?!\w)" if len(password) < _SHORT else text


def _spellings(character: str) -> str:
    """One character as XML may write it: itself, by name, by number."""
    code = ord(character)
    named = _ENTITIES.get(character)
    ways = [re.escape(character), f"&#0*{code};", f"&#x0*{code:x};", *([re.escape(named)] if named else [])]
    return "(?:" + "|".join(ways) + ")"
