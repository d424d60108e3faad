"""The catalogue as a CSV file: the ten columns of ``COLUMNS``, in any order.

UTF-8, with or without a byte order mark; ``,`` or ``;`` between the cells, as the header has it, and with
``;`` a decimal comma is understood too. At most 5 MB and 50 000 rows. ``on_hand`` and ``for_sale`` (yes or no)
may be empty: then they stay as they are. ``bundle`` names the parts as in ``mug:2;spoon:1``.

A cell that a spreadsheet would take for a formula (it begins with ``= + - @`` or a tab) is written with a
``'`` before it, which reading takes away again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from sqlalchemy import Connection

from orchestrator import catalogue
from orchestrator.catalogue_edit import Plan
from orchestrator.errors import OrchestratorError
from orchestrator.money import CURRENCIES, Money, MoneyError
from orchestrator.product import CatalogueError, Piece, Product, ProductChange, plain, problems

COLUMNS = ("token", "title", "price", "currency", "tax_rate", "sku", "ean", "on_hand", "for_sale", "bundle")
LARGEST_FILE = 5_000_000
MOST_ROWS = 50_000
MOST_PROBLEMS = 20

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


class WrongFile(OrchestratorError):
    """The product file is wrong; nothing was imported.

    Attributes:
        problems: up to 20, each naming line and column.
        total: how many there are.
    """

    code = "wrong_file"

    def __init__(self, found: Sequence[str]) -> None:
        self.problems = tuple(found[:MOST_PROBLEMS])
        self.total = len(found)
        more = "" if self.total <= MOST_PROBLEMS else f"\nand {self.total - MOST_PROBLEMS} more"
        super().__init__("\n".join(self.problems) + more)


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the file: where it begins, counted from 1, and what it asks for."""

    line: int
    change: ProductChange


class _WrongCell(ValueError):
    """The cell cannot be read; the text says what it should be."""


def parse(data: bytes) -> list[Record]:
    """Read a product file. Raises WrongFile."""
    text = _text(data)
    first_line = re.match(r"\s*([^\r\n]*)", text)
    delimiter = ";" if first_line and ";" in first_line[1] else ","
    rows = _rows(text, delimiter)
    header = next(rows, None)
    if header is None:
        raise WrongFile([f"line 1: the header is missing: {','.join(COLUMNS)}"])
    columns = _columns(header)
    return _records(columns, rows, decimal_comma=delimiter == ";")


def plan(connection: Connection, records: Sequence[Record]) -> Plan:
    """Say what a file would create and change; nothing is written. Raises WrongFile."""
    try:
        return catalogue.plan(connection, [record.change for record in records])
    except CatalogueError as error:
        raise _with_lines(error, records) from None


def apply(connection: Connection, records: Sequence[Record], actor: str, at: datetime) -> Plan:
    """Write a file to the catalogue, whole or not at all; returns what was done. Raises WrongFile."""
    try:
        return catalogue.save_all(connection, [record.change for record in records], actor, at)
    except CatalogueError as error:
        raise _with_lines(error, records) from None


def export(products: Iterable[Product]) -> str:
    """The file that, imported, makes just these products."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_guard(cell) for cell in _cells(product)] for product in products)
    return file.getvalue()


def _with_lines(error: CatalogueError, records: Iterable[Record]) -> WrongFile:
    lines = {record.change.token: record.line for record in records}
    found = sorted((lines[token], fields) for token, fields in error.by_token.items())
    return WrongFile([problem for line, fields in found for problem in _problems_at(line, fields)])


def _problems_at(line: int, fields: Mapping[str, str]) -> list[str]:
    return [f"line {line}, column {column}: {problem}" for column, problem in fields.items()]


def _text(data: bytes) -> str:
    if len(data) > LARGEST_FILE:
        raise WrongFile([f"the file has {len(data)} bytes, at most {LARGEST_FILE} are possible"])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The codec counts from behind the byte order mark.
        line = error.object.count(b"\n", 0, error.start) + 1
        raise WrongFile([f"line {line}: is not UTF-8; save the file as CSV in UTF-8"]) from None
    if "\0" in text:
        raise WrongFile([f"line {text.count(chr(10), 0, text.index(chr(0))) + 1}: contains a NUL character"])
    return text


def _rows(text: str, delimiter: str) -> Iterator[_Row]:
    """The rows that have anything in them, each with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _Row(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        reason = "a quote is opened and not closed" if "end of data" in str(error) else str(error)
        raise WrongFile([f"line {line}: {reason}"]) from None


def _columns(header: _Row) -> list[str]:
    names = [cell.strip().lower() for cell in header.cells]
    found = [f"column {name} is missing" for name in COLUMNS if name not in names]
    found += [f"column {name[:64]!r} is unknown" for name in names if name not in COLUMNS]
    found += [f"column {name} is there twice" for name in COLUMNS if names.count(name) > 1]
    if found:
        raise WrongFile([f"line {header.line}: {problem}" for problem in found])
    return names


def _records(columns: Sequence[str], rows: Iterable[_Row], *, decimal_comma: bool) -> list[Record]:
    records: list[Record] = []
    found: list[str] = []
    lines: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise WrongFile([f"line {row.line}: the file has more than {MOST_ROWS} rows"])
        if len(row.cells) != len(columns):
            found.append(f"line {row.line}: has {len(row.cells)} cells, the header has {len(columns)}")
            continue
        reading = _Reading(dict(zip(columns, row.cells, strict=True)), decimal_comma)
        change = reading.change()
        if (first := lines.setdefault(change.token, row.line)) != row.line:
            reading.wrong["token"] = f"{change.token[:64]!r} was there before, on line {first}"
        found += _problems_at(row.line, reading.wrong)
        records.append(Record(row.line, change))
    if found:
        raise WrongFile(found)
    return records


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Sequence[str]


class _Reading:
    """Reads the cells of one row, and keeps what is wrong with them, by column."""

    def __init__(self, cells: Mapping[str, str], decimal_comma: bool) -> None:
        self.wrong: dict[str, str] = {}
        self._cells = {column: _unguard(cell.strip()) for column, cell in cells.items()}
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


def _cells(product: Product) -> list[str]:
    return [
        product.token,
        product.title,
        str(product.price.value),
        product.price.currency,
        f"{plain(product.tax_rate):f}",
        product.sku or "",
        product.ean or "",
        "" if product.bundle else str(product.on_hand),
        "yes" if product.for_sale else "no",
        ";".join(f"{part.token}:{part.quantity}" for part in product.bundle),
    ]


def _guard(cell: str) -> str:
    return f"'{cell}" if _RISKY.match(cell) else cell


def _unguard(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell
