"""Notes: what people write down about a purchase."""

from __future__ import annotations

from sqlalchemy import Connection

from orchestrator import audit, journal
from orchestrator.errors import OrchestratorError
from orchestrator.purchase import Purchase, lock
from orchestrator.stamp import Stamp

LONGEST = 1000
"""Characters of a note."""


class NoteRefused(OrchestratorError):
    """A note has to say something. Write it and send it again."""

    code = "note_refused"


def add(connection: Connection, purchase_id: str, text: str, stamp: Stamp, address: str = "") -> Purchase:
    """Write a note into the purchase's journal.

    Raises:
        NoteRefused: it is empty or longer than ``LONGEST``.
        PurchaseUnknown: there is no such purchase.
    """
    words = _legible(text)
    if not words:
        raise NoteRefused
    if len(words) > LONGEST:
        raise NoteRefused("A note may have 1000 characters. Shorten it, or write two.")
    after = journal.note(connection, lock(connection, purchase_id), "note", stamp, words)
    audit.record(connection, stamp, "purchase.note", purchase_id, words, address)
    return after


def _legible(text: str) -> str:
    """Lines end alike; what is no character to read is left out."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(letter for letter in lines if letter == "\n" or letter.isprintable()).strip()
