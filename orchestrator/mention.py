"""Mentions: notes and reasons in which people wrote who a customer is.

They stand in the journal and in the audit log, which nobody can change: they are counted, so that whoever
erases a customer knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from orchestrator import search
from orchestrator.portions import portions
from orchestrator.tables import audit, journal

_SHORTEST_WORD = 3
_PHONE = 9
"""Digits of a phone number without its country code, however people group them."""
_WORD = re.compile(r"[\w@.+-]+")


def count(connection: Connection, ids: Sequence[str], people: Iterable[tuple[str, str, str]]) -> int:
    """How many rows about these purchases seem to name one of the people: name, mail address, phone."""
    terms = {term for person in people for term in search.terms(*person) if len(term) >= _SHORTEST_WORD}
    found = 0
    for some in portions(ids):
        noted = select(journal.c.detail).where(journal.c.purchase_id.in_(some))
        done = select(audit.c.detail).where(audit.c.subject.in_(some))
        texts = [text for text in connection.execute(noted).scalars() if _names(text, terms)]
        whole = "\n".join(texts)
        # Mostly the audit log says what the journal says.
        others = [text for text in connection.execute(done).scalars() if _names(text, terms)]
        found += len(texts) + sum(text not in whole for text in others)
    return found


def _names(text: str, terms: set[str]) -> bool:
    words = {word.strip(".-+") for word in _WORD.findall(search.fold(text))}
    digits = search.digits(text)
    phones = (term for term in terms if term.isdecimal() and len(term) >= _PHONE)
    return not terms.isdisjoint(words) or any(phone in digits for phone in phones)
