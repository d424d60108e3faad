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
_TAG = b"password"
_LIKE_ASCII = ("\u0130", "\u0131", "\u017f", "\u212a")
"""Letters beyond ASCII that a search without regard to case takes for I, i, s and K."""


class Mask:
    """Hides one password: in a ``password`` element of any kind, and wherever else its text stands.

    The text is found as it is and in every way that XML may escape it. A password under eight characters is
    hidden only where no letter or digit touches it: ``1234`` must not deface every reference that has it.
    """

    def __init__(self, password: str) -> None:
        self._longest = _LONGEST_ESCAPE * len(password)
        self._pattern = re.compile("|".join(filter(None, (_IN_ELEMENT, _literal(password)))), re.IGNORECASE)
        self._plain = password.lower().encode() if password.isascii() else b""

    def hide(self, text: str) -> str:
        """The whole text, masked."""
        lowered = self._lowered(text)
        if lowered is not None and _TAG not in lowered:
            return text
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

    def missing_from(self, text: str) -> bool:
        """Whether a quick look is enough to tell that the password's text stands nowhere in it, escaped or
        not. False means that only a search can tell."""
        return self._lowered(text) is not None

    def _lowered(self, text: str) -> bytes | None:
        """The text in small letters, if the password is clearly not in it; None where it may be.

        The quick look knows ASCII alone, and four letters beyond it that the search takes for some of ASCII.
        """
        if not self._plain or "&" in text or any(map(text.__contains__, _LIKE_ASCII)):
            return None
        lowered = text.encode(errors="surrogatepass").lower()
        return None if self._plain in lowered else lowered


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
