"""The cells of one row of a product file: what they mean, and how they are written.

``on_hand`` and ``for_sale`` (yes or no) may be empty: then they stay as they are. ``bundle`` names the parts
as in ``mug:2;spoon:1``.

A cell that a spreadsheet would take for a formula (it begins with ``= + - @`` or a tab) is written with a
``'`` before it, which reading takes away again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar

from orchestrator.money import CURRENCIES, Money, MoneyError
from orchestrator.product import Piece, Product, ProductChange, plain, problems

COLUMNS = ("token", "title", "price", "currency", "tax_rate", "sku", "ean", "on_hand", "for_sale", "bundle")

T = TypeVar("T")
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_WHOLE = re.compile(r"[0-9]{1,30}")
_RISKY = re.compile(r"'*[=+\-@\t]")
_GUARDED = re.compile(r"'+[=+\-@\t]")
_YES_OR_NO: Mapping[str, bool | None] = {
    "": None,
    "yes": True,
    "true": True,
    "1": True,
    "no": False,
    "false": False,
    "0": False,
}


class _WrongCell(ValueError):
    """The cell cannot be read; the text says what it should be."""


class CellReader:
    """Reads the cells of one row, unguarded, and keeps what is wrong with them, by column."""

    def __init__(self, cells: Mapping[str, str], decimal_comma: bool) -> None:
        self.wrong: dict[str, str] = {}
        self._cells = {column: cell.strip() for column, cell in cells.items()}
        self._decimal_comma = decimal_comma

    def change(self) -> ProductChange:
        """What the row asks for; where a cell is wrong, something harmless stands in for it."""
        change = ProductChange(
            token=self._cells["token"],
            title=self._cells["title"],
            price=self._price(),
            tax_rate=self._take("tax_rate", self._number, Decimal(0)),
            sku=self._cells["sku"],
            ean=self._cells["ean"],
            on_hand=self._take("on_hand", _optional_count, None),
            for_sale=self._take("for_sale", _yes_or_no, None),
            bundle=self._take("bundle", _pieces, ()),
        )
        self.wrong = problems(change) | self.wrong
        return change

    def _take(self, column: str, read: Callable[[str], T], otherwise: T) -> T:
        try:
            return read(self._cells[column])
        except _WrongCell as error:
            self.wrong[column] = str(error)
            return otherwise

    def _number(self, cell: str) -> Decimal:
        text = cell.replace(",", ".") if self._decimal_comma else cell
        if not _NUMBER.fullmatch(text):
            raise _WrongCell(f"{cell[:64]!r} should be a number such as 149.90" if cell else "is empty")
        return Decimal(text)

    def _price(self) -> Money:
        number = self._take("price", self._number, Decimal(1))
        currency = self._cells["currency"]
        if currency not in CURRENCIES:
            self.wrong["currency"] = f"{currency[:64]!r} should be an ISO 4217 code such as SEK"
            return Money(Decimal(1), "SEK")
        try:
            return Money(number, currency)
        except MoneyError as error:
            self.wrong["price"] = error.message.rstrip(".")
            return Money(Decimal(1), currency)


def _count(cell: str) -> int:
    if not _WHOLE.fullmatch(cell):
        raise _WrongCell(f"{cell[:64]!r} should be a whole number, 0 or more")
    return int(cell)


def _optional_count(cell: str) -> int | None:
    return _count(cell) if cell else None


def _yes_or_no(cell: str) -> bool | None:
    if cell.lower() not in _YES_OR_NO:
        raise _WrongCell(f"{cell[:64]!r} should be yes, no or empty")
    return _YES_OR_NO[cell.lower()]


def _pieces(cell: str) -> tuple[Piece, ...]:
    pieces = []
    for text in cell.split(";") if cell else ():
        token, colon, quantity = (word.strip() for word in text.partition(":"))
        if not (token and colon and _WHOLE.fullmatch(quantity)):
            raise _WrongCell(f"{text.strip()[:64]!r} should be a token and a number, as in mug:2;spoon:1")
        pieces.append(Piece(token, int(quantity)))
    return tuple(pieces)


def fields_of(product: Product) -> dict[str, str]:
    """What a product is, by column; read again, it makes just this product."""
    return {
        "token": product.token,
        "title": product.title,
        "price": str(product.price.value),
        "currency": product.price.currency,
        "tax_rate": f"{plain(product.tax_rate):f}",
        "sku": product.sku or "",
        "ean": product.ean or "",
        "on_hand": "" if product.bundle else str(product.on_hand),
        "for_sale": "yes" if product.for_sale else "no",
        "bundle": ";".join(f"{part.token}:{part.quantity}" for part in product.bundle),
    }


def cells_of(product: Product) -> list[str]:
    """The row that, read again, makes just this product."""
    fields = fields_of(product)
    return [guard(fields[column]) for column in COLUMNS]


def guard(cell: str) -> str:
    """The cell so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if _RISKY.match(cell) else cell


def unguard(cell: str) -> str:
    """The cell as it was before ``guard``; space at its ends is not kept."""
    cell = cell.strip()
    return cell[1:] if _GUARDED.match(cell) else cell
