"""What is wrong with a product or a product file, in the visitor's language.

The catalogue says it in a few English words behind the name of the field; on a page it stands beside the
field, as a sentence.
"""

from __future__ import annotations

from dashboard.language import Language, mark
from dashboard.shapes import shown

_PRODUCT: dict[str, str] = {
    "is empty": mark("It is empty."),
    "contains a control character": mark("It contains a control character."),
    "has %(number)s characters, at most %(most)s fit": mark(
        "It has %(number)s characters; at most %(most)s fit."
    ),
    "is taken by another product": mark("Another product has it already."),
    "part %(part)s should be 1 to 64 letters, digits, '.', '_' or '-'": mark(
        "%(part)s is no token: it should be 1 to 64 letters A–Z, digits, dots, dashes."
    ),
    "should be 1 to 64 letters, digits, '.', '_' or '-'": mark(
        "It should be 1 to 64 letters A–Z, digits, dots, dashes."
    ),
    "should be more than 0": mark("It should be more than 0."),
    "should be 8 to 14 digits": mark("It should be 8 to 14 digits."),
    "should be 0 to %(most)s percent": mark("It should be 0 to %(most)s percent."),
    "has more than 4 decimals": mark("It has more than 4 decimals."),
    "part %(part)s should be %(lowest)s to %(highest)s": mark(
        "Of %(part)s there should be %(lowest)s to %(highest)s."
    ),
    "should be %(lowest)s to %(highest)s": mark("It should be %(lowest)s to %(highest)s."),
    "has %(number)s parts, at most %(most)s are possible": mark(
        "It has %(number)s parts; at most %(most)s are possible."
    ),
    "contains itself": mark("The bundle contains itself."),
    "names part %(part)s twice": mark("It names %(part)s twice."),
    "names no product in row %(row)s": mark("Row %(row)s names no product."),
    "needs a whole number of %(part)s": mark("How many of %(part)s? A whole number, 1 or more."),
    "contains %(part)s, but there is no such product": mark("There is no product %(part)s."),
    "contains %(part)s, which is a bundle itself": mark("%(part)s is a bundle itself: bundles do not nest."),
    "contains %(part)s, which is priced in %(currency)s": mark(
        "%(part)s is priced in %(currency)s: a bundle and its parts have one currency."
    ),
    "is not kept for a bundle: change the stock of its parts": mark(
        "A bundle has no stock of its own: change that of its parts."
    ),
    "is not possible while a paid purchase waits for this product": mark(
        "It cannot become a bundle while a paid purchase waits for it."
    ),
    "is not possible while %(number)s are on hand and %(held)s reserved: bring its stock to 0 first": mark(
        "It cannot become a bundle while %(number)s are on hand and %(held)s reserved: bring its stock to 0."
    ),
    "is not possible for a part of %(bundle)s: bundles do not nest": mark(
        "It is a part of %(bundle)s and so cannot become a bundle: bundles do not nest."
    ),
    "should be in %(currency)s, as that of %(bundle)s, which it is a part of": mark(
        "It should be in %(currency)s, as the price of %(bundle)s, which it is a part of."
    ),
}
_CELL: dict[str, str] = {
    "%(text)s should be a number such as 149.90": mark("%(text)s should be a number such as 149.90."),
    "%(text)s should be an ISO 4217 code such as SEK": mark(
        "%(text)s should be an ISO 4217 code such as SEK."
    ),
    "%(amount)s is not an amount of money this shop can handle": mark("%(amount)s is too much."),
    "%(amount)s has more decimals than %(currency)s has": mark(
        "%(amount)s has more decimals than %(currency)s has."
    ),
    "%(text)s should be a whole number, 0 or more": mark("%(text)s should be a whole number, 0 or more."),
    "%(text)s should be yes, no or empty": mark("%(text)s should be yes, no or empty."),
    "%(text)s should be a token and a number, as in mug:2;spoon:1": mark(
        "%(text)s should be a token and a number, as in mug:2;spoon:1."
    ),
    "has %(number)s cells, the header has %(columns)s": mark(
        "The line has %(number)s cells, the header has %(columns)s."
    ),
    "%(token)s was there before, on line %(line)s": mark("%(token)s was there before, on line %(line)s."),
}
_FILE: dict[str, str] = {
    "the file has %(size)s bytes, at most %(most)s are possible": mark(
        "The file has %(size)s bytes; at most %(most)s are possible."
    ),
    "line %(line)s: the header is missing: %(columns)s": mark(
        "Line %(line)s: the header is missing: %(columns)s"
    ),
    "line %(line)s: column %(column)s is missing": mark("Line %(line)s: the column %(column)s is missing."),
    "line %(line)s: column %(column)s is unknown": mark("Line %(line)s: the column %(column)s is unknown."),
    "line %(line)s: column %(column)s is there twice": mark(
        "Line %(line)s: the column %(column)s is there twice."
    ),
    "line %(line)s: is not UTF-8; save the file as CSV in UTF-8": mark(
        "Line %(line)s is not UTF-8: save the file as CSV in UTF-8."
    ),
    "line %(line)s: contains a NUL character": mark("Line %(line)s contains a NUL character."),
    "line %(line)s: a quote is opened and not closed": mark(
        "Line %(line)s: a quote is opened and not closed."
    ),
    "line %(line)s: the file has more than %(most)s rows": mark(
        "The file has more than %(most)s rows; line %(line)s is the first too many."
    ),
}
FLAWS = {**_PRODUCT, **_CELL, **_FILE}
"""By what is written: what is shown. The first that fits counts."""


def flaw(language: Language, written: str) -> str:
    """The flaw as a sentence; as it is written where it is not known."""
    return shown(language, FLAWS, written) or written
