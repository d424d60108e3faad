"""The languages of the dashboard. English is written where it is used; the others are catalogues.

A catalogue is ``locale/<language>/LC_MESSAGES/dashboard.po``; a further language needs only its file and an
entry in ``LANGUAGES``. A text that a catalogue lacks is shown in English; a test allows none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.core import negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent / "locale"
LANGUAGES = {"en": "English", "sv": "Svenska"}
"""By code, as each calls itself. The first is the source's."""

_WISH = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")
_MOST_WISHES = 10


def mark(message: str) -> str:
    """The text itself: says that it is to be translated where it is shown."""
    return message


@dataclass(frozen=True)
class Language:
    """One language: its code and its texts."""

    code: str
    catalogue: Catalog

    def lookup(self, message: str) -> str:
        """The text as the catalogue has it; nothing is filled in."""
        found = self.catalogue.get(message)
        return (
            found.string if found is not None and isinstance(found.string, str) and found.string else message
        )

    def lookup_plural(self, one: str, many: str, number: int) -> str:
        """The form for so many as the catalogue has it; nothing is filled in."""
        found = self.catalogue.get(one)
        forms = found.string if found is not None and isinstance(found.string, tuple | list) else ()
        form = _plural(self.catalogue, number)
        text = forms[form] if form < len(forms) else ""
        return text or (one if number == 1 else many)

    def gettext(self, message: str, /, **values: object) -> str:
        """The text in this language, with ``%(name)s`` filled in; a sign of percent is ``%%``."""
        return self.lookup(message) % values

    def ngettext(self, one: str, many: str, number: int, /, **values: object) -> str:
        """The text for so many; ``%(num)s`` is the number."""
        return self.lookup_plural(one, many, number) % {"num": number, **values}


def _plural(catalogue: Catalog, number: int) -> int:
    """English and Swedish agree: one, and all others. A language with more forms says so in its file."""
    return 0 if number == 1 else min(1, catalogue.num_plurals - 1)


@cache
def language(code: str) -> Language:
    """The language with this code. Raises KeyError for one that there is not."""
    if code not in LANGUAGES:
        raise KeyError(code)
    path = LOCALES / code / "LC_MESSAGES" / "dashboard.po"
    if not path.exists():
        return Language(code, Catalog(locale=code))
    with path.open("rb") as file:
        return Language(code, read_po(file, locale=code))


def wished(accept_language: str) -> str:
    """The code of the language that a browser likes best of those there are (``Accept-Language``)."""
    wishes = [
        (float(found[2] or 1), -number, found[1])
        for number, part in enumerate(accept_language.split(",")[:_MOST_WISHES])
        if (found := _WISH.fullmatch(part))
    ]
    preferred = [code for quality, _, code in sorted(wishes, reverse=True) if quality > 0]
    return negotiate_locale(preferred, list(LANGUAGES), sep="-") or next(iter(LANGUAGES))
