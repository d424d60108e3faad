"""Every page speaks Swedish to who wishes it: nothing of a page is left in English."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.fixtures.dashboard import Office

SWEDISH = {"Accept-Language": "sv"}
SPOKEN = ("title", "aria-label", "placeholder", "alt", "label")
"""Attributes that people read or hear; and those for scripts begin with ``data-``."""
SILENT = {"script", "style", "code", "pre", "kbd"}
VOID = {"meta", "link", "input", "br", "img", "rect", "line", "path", "progress"}
TELLTALE = {
    *("the", "and", "is", "are", "was", "were", "of", "to", "with", "this", "that", "it", "its", "not"),
    *("by", "from", "has", "have", "be", "at", "what", "who", "why", "when", "no", "your", "you", "an"),
    *("purchase", "purchases", "product", "products", "mail", "stock", "paid", "received", "invoiced"),
    *("failed", "search", "save", "show", "add", "name", "state", "customer", "amount", "all purchases"),
}
"""Words that no Swedish sentence of ours has."""


class Reader(HTMLParser):
    """Collects what a page says: its texts and its attributes in words."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self._open.append(tag)
        for name, value in attributes:
            if value and (name in SPOKEN or (name.startswith("data-") and " " in value)):
                self.said.append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not SILENT.intersection(self._open):
            self.said.append(data.strip())


def english(page: str) -> list[str]:
    """What a page says that is not Swedish."""
    reader = Reader()
    reader.feed(page)
    words = {said: re.findall(r"(?<![/.\w])\w+(?![/.]\w|\w)", said.lower()) for said in reader.said}
    return sorted(said for said, spoken in words.items() if TELLTALE.intersection(spoken))


async def test_no_page_has_english_left(sqlite_office: Office, pages: list[str]) -> None:
    visitor = await sqlite_office.signed_in("ada")
    left = {path: english(await visitor.get(path, headers=SWEDISH)) for path in pages}
    assert {path: texts for path, texts in left.items() if texts} == {}
