"""Sayings: what the journal and the attention mark say, in the visitor's language and in plain words.

They are written once, in English, with names and numbers in them. Here each is known again by its shape. One
that is not known (an older version wrote it) is shown as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dashboard.language import Language, mark
from dashboard.shapes import fits, shown
from orchestrator import erasure

_WHY = " Why: "
"""Stands before the reason in the words of who acted."""

_PAID_TOO = "Invoice %(references)s was paid too: refund what was paid twice."
_LACKS = "Paid, but the stock lacks %(missing)s: restock it, then it goes on by itself; or refund it."
REFUSES_TO_TELL = "SEQR refuses to tell"
"""So begins the mark of a purchase whose invoice SEQR will not tell about."""
_UNTOLD = "SEQR refuses to tell about invoice %(reference)s: %(answer)s."
_UNCANCELLED = "SEQR refuses to cancel invoice %(reference)s: %(answer)s."
_UNKNOWN_STATUS = "SEQR says %(status)s of invoice %(reference)s, a status we do not know. We keep asking."
_WRONG_SUM = "SEQR took %(paid)s for invoice %(reference)s, which asked for %(asked)s."
_OTHER_INVOICE = "SEQR answered for invoice %(other)s when asked for %(reference)s."
_PAID_LATE = erasure.PAID_LATE
_NO_RETRY = erasure.WHY_NO_RETRY
_GOODS = re.compile(r"\d+ × (\S+) \(")

_SHOWN: dict[str, str] = {
    "The customer ordered %(title)s.": mark("The customer ordered %(title)s."),
    "%(name)s ordered %(title)s.": mark("%(name)s ordered %(title)s."),
    "SEQR's invoice %(reference)s.": mark("SEQR took the invoice; it is number %(reference)s."),
    "SEQR refused the invoice: %(answer)s.": mark("SEQR refused the invoice: %(answer)s."),
    "SEQR took no invoice in %(seconds)s s.": mark("SEQR took no invoice within %(seconds)s seconds."),
    "The stock lacks %(missing)s.": mark("The stock lacks %(missing)s."),
    "SEQR holds %(money)s for invoice %(reference)s.": mark(
        "The customer paid %(money)s for invoice %(reference)s."
    ),
    "The goods were taken from the stock.": mark("The goods were taken from the stock."),
    "SEQR reversed the payment of %(reference)s.": mark(
        "SEQR gave the money for invoice %(reference)s back to the customer."
    ),
    "Started over: the goods are held again.": mark("Started over: the goods are held again."),
    "Cancelled before there was an invoice.": mark("Cancelled before there was an invoice."),
    "The shop asks SEQR to cancel the invoice.": mark("The shop asks SEQR to cancel the invoice."),
    "It moves by itself again.": mark("It goes on by itself again."),
    "Sent again to the customer.": mark("Sent again to the customer."),
    "Written again and kept; no mail server is set.": mark("Written again and kept; no mail server is set."),
    "Sent again to %(recipient)s.": mark("Sent again to %(recipient)s."),
    _LACKS: mark("Paid, but the stock lacks %(missing)s."),
    _PAID_TOO: mark("The customer paid twice: invoice %(references)s was paid too."),
    _UNTOLD: mark("SEQR will not say whether invoice %(reference)s is paid (%(answer)s)."),
    "SEQR does not know invoice %(reference)s: %(answer)s.": mark(
        "SEQR does not know invoice %(reference)s (%(answer)s); it is treated as not payable."
    ),
    _UNCANCELLED: mark("SEQR will not cancel invoice %(reference)s (%(answer)s)."),
    _UNKNOWN_STATUS: mark("SEQR says %(status)s about invoice %(reference)s, which we do not understand."),
    _PAID_LATE: mark("Paid after its customer was erased."),
    _NO_RETRY: mark("The customer was erased: there is nobody to send the goods or a link to."),
    _WRONG_SUM: mark("The customer paid %(paid)s for invoice %(reference)s, which was for %(asked)s."),
    _OTHER_INVOICE: mark("SEQR told about invoice %(other)s when it was asked about %(reference)s."),
    "The customer has an unpaid purchase of the same order already: %(purchase)s.": mark(
        "The customer has ordered the same again and not paid yet: that is purchase %(purchase)s."
    ),
    "The last invoice may still be on its way to SEQR: wait a moment.": mark(
        "The last invoice may still be on its way to SEQR: wait a moment."
    ),
    "The customer has just ordered the same again.": mark("The customer has just ordered the same again."),
    "Cancelled, though SEQR holds money for invoice %(reference)s.": mark(
        "Cancelled, though SEQR holds money for invoice %(reference)s."
    ),
    "SEQR says CANCELED of invoice %(reference)s.": mark(
        "SEQR says that invoice %(reference)s is cancelled; nobody can pay it any more."
    ),
    "SEQR says FAILED of invoice %(reference)s.": mark(
        "SEQR says that the payment of invoice %(reference)s failed."
    ),
    "SEQR says %(status)s of invoice %(reference)s.": mark(
        "SEQR says %(status)s about invoice %(reference)s."
    ),
}
"""By what is written: what is shown. The first that fits counts."""

_BRIEFLY: dict[str, str] = {
    _LACKS: mark("The stock lacks %(missing)s."),
    _PAID_TOO: mark("Paid twice."),
    _UNTOLD: mark("SEQR will not say whether it is paid."),
    _UNCANCELLED: mark("SEQR will not cancel it."),
    _UNKNOWN_STATUS: mark("SEQR says %(status)s."),
    _WRONG_SUM: mark("Paid %(paid)s instead of %(asked)s."),
    _OTHER_INVOICE: mark("SEQR told about another invoice."),
}
"""The same of attention marks, in a few words for a list."""

_HELP: dict[str, str] = {
    _LACKS: mark(
        "Receive the goods into the stock, and it goes on by itself. Or refund the customer at SEQR."
    ),
    _PAID_TOO: mark("Refund the second payment at SEQR, and write a note here when it is done."),
    REFUSES_TO_TELL: mark(
        "We keep asking. See under System whether the settings are those SEQR gave you. If they are, SEQR has"
        " lost the invoice: cancel it here, or let it expire."
    ),
    "SEQR refuses to cancel": mark(
        "We keep asking. If it stays so, tell SEQR's support the invoice number and the answer."
    ),
    _PAID_LATE: mark("Refund it at SEQR, and write a note here when it is done."),
    "a status we do not know": mark("We keep asking. If it stays so, ask SEQR's support what it means."),
    "which asked for": mark(
        "Compare the sums at SEQR. To undo it, refund the customer there and cancel it here; Retry then"
        " sends a new link to pay."
    ),
    "when asked for": mark("We keep asking. If it stays so, tell SEQR's support both invoice numbers."),
}
"""By a piece of what is written: what helps."""


@dataclass(frozen=True, slots=True)
class Plea:
    """Why a purchase is stuck, what helps, and of which products the stock lacks some."""

    words: str
    help: str
    lacking: tuple[str, ...] = ()
    untold: bool = False
    """SEQR refuses to tell about the invoice."""


def told(language: Language, written: str) -> str:
    """A row of the journal in words."""
    saying, because, why = written.partition(_WHY)
    said = _said(language, saying)
    return language.gettext("%(what)s Why: %(why)s", what=said, why=why) if because else said


def pleas(language: Language, attention: str) -> list[Plea]:
    """What the attention mark asks for: mostly one thing, or two."""
    return [_plea(language, part) for part in _parts(attention) if part]


def briefly(language: Language, attention: str) -> str:
    """What the attention mark says, in a few words."""
    parts = [part for part in _parts(attention) if part]
    return " ".join(shown(language, _BRIEFLY, part) or part for part in parts)


def _plea(language: Language, written: str) -> Plea:
    helping = next((text for piece, text in _HELP.items() if piece in written or fits(piece, written)), "")
    lacking = tuple(_GOODS.findall(written)) if fits(_LACKS, written) else ()
    return Plea(
        _said(language, written),
        language.gettext(helping) if helping else "",
        lacking,
        fits(_UNTOLD, written),
    )


def _parts(attention: str) -> list[str]:
    """A second payment is told of behind whatever was told before."""
    found = re.search(r"(?<=[.]) (?=Invoice \S.* was paid too: )", attention)
    return [attention[: found.start()], attention[found.end() :]] if found else [attention]


def _said(language: Language, written: str) -> str:
    return shown(language, _SHOWN, written) or written
