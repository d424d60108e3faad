"""Guards: the conditions of a transition. Each returns why it must not happen, or None."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Subject:
    """What the machine needs to know of a purchase: its state and the facts that guards look at.

    Attributes:
        state: a name from ``State``; the machine writes the new one here.
        missing: what the stock lacks to deliver the purchase, in words; empty when all is there.
        mismatch: how the sum paid differs from the sum invoiced, in words; empty when it does not.
    """

    state: str
    missing: str = ""
    mismatch: str = ""


Guard = Callable[[Subject], str | None]


def stock_is_there(subject: Subject) -> str | None:
    """The stock has all that the purchase needs."""
    return f"The stock lacks {subject.missing}." if subject.missing else None


def paid_what_was_invoiced(subject: Subject) -> str | None:
    """SEQR's receipt shows the sum and the currency of the invoice."""
    return subject.mismatch or None
