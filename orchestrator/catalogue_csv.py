"""The catalogue as a CSV file: the ten columns of ``catalogue_cells.COLUMNS``, in any order.

UTF-8, with or without a byte order mark; ``,`` or ``;`` between the cells, as the header has it, and with
``;`` a decimal comma is understood too. At most 5 MB and 50 000 rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from orchestrator import catalogue
from orchestrator.catalogue_cells import COLUMNS, CellReader, cells_of, unguard
from orchestrator.catalogue_edit import Plan
from orchestrator.database import Database
from orchestrator.errors import OrchestratorError
from orchestrator.identity import now
from orchestrator.product import CatalogueError, Product, ProductChange

DEMO = Path(__file__).with_name("demo_catalogue.csv")
LARGEST_FILE = 5_000_000
MOST_ROWS = 50_000
MOST_PROBLEMS = 20


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


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line; ``column`` is empty where it is the line itself."""

    line: int
    column: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}{f', column {self.column}' if self.column else ''}: {self.text}"


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as read: the lines that are right by themselves, and what is wrong with the others."""

    records: tuple[Record, ...]
    problems: tuple[Problem, ...]


def parse(data: bytes) -> list[Record]:
    """Read a product file that has to be right. Raises WrongFile."""
    found = read(data)
    if found.problems:
        raise WrongFile([str(problem) for problem in found.problems])
    return list(found.records)


def read(data: bytes, *, largest: int = LARGEST_FILE, most_rows: int = MOST_ROWS) -> Reading:
    """Read a product file of at most so many bytes and rows. Raises WrongFile where it is none at all."""
    text = _text(data, largest)
    first_line = re.match(r"\s*([^\r\n]*)", text)
    delimiter = ";" if first_line and ";" in first_line[1] else ","
    rows = _rows(text, delimiter)
    header = next(rows, None)
    if header is None:
        raise WrongFile([f"line 1: the header is missing: {','.join(COLUMNS)}"])
    columns = _columns(header)
    return _records(columns, rows, most_rows, decimal_comma=delimiter == ";")


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
    writer.writerows(cells_of(product) for product in products)
    return file.getvalue()


Apply = Callable[[Connection, Sequence[Record], str, datetime], Plan]
"""Writes a file to the catalogue, as ``apply`` does."""


async def load(database: Database, records: Sequence[Record], actor: str, write: Apply = apply) -> Plan:
    """Write a file to the catalogue, whole or not at all; returns what was done. Raises WrongFile.

    What is in the catalogue already is found out by reading alone, so that nobody waits for a large file
    that changes little.
    """
    found = await database.read(plan, records)
    edited = {change.token for change in found.written}
    if not edited:
        return found
    done = await database.write(
        write, [record for record in records if record.change.token in edited], actor, now()
    )
    return replace(done, unchanged=found.unchanged + done.unchanged)


async def load_demo(database: Database) -> None:
    """Fill the catalogue with the demo shop's products."""
    await load(database, parse(DEMO.read_bytes()), "cli")


def located(error: CatalogueError, records: Iterable[Record]) -> list[Problem]:
    """What the catalogue refused, by the lines that asked for it."""
    lines = {record.change.token: record.line for record in records}
    found = sorted((lines[token], fields) for token, fields in error.by_token.items())
    return [Problem(line, column, text) for line, fields in found for column, text in fields.items()]


def _with_lines(error: CatalogueError, records: Iterable[Record]) -> WrongFile:
    return WrongFile([str(problem) for problem in located(error, records)])


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Sequence[str]


def _text(data: bytes, largest: int) -> str:
    if len(data) > largest:
        raise WrongFile([f"the file has {len(data)} bytes, at most {largest} are possible"])
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


def _records(columns: Sequence[str], rows: Iterable[_Row], most_rows: int, *, decimal_comma: bool) -> Reading:
    records: list[Record] = []
    found: list[Problem] = []
    lines: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        if number > most_rows:
            raise WrongFile([f"line {row.line}: the file has more than {most_rows} rows"])
        if len(row.cells) != len(columns):
            words = f"has {len(row.cells)} cells, the header has {len(columns)}"
            found.append(Problem(row.line, "", words))
            continue
        cells = zip(columns, map(unguard, row.cells), strict=True)
        reader = CellReader(dict(cells), decimal_comma)
        change = reader.change()
        if (first := lines.setdefault(change.token, row.line)) != row.line:
            reader.wrong["token"] = f"{change.token[:64]!r} was there before, on line {first}"
        found += [Problem(row.line, name, reader.wrong[name]) for name in columns if name in reader.wrong]
        if not reader.wrong:
            records.append(Record(row.line, change))
    return Reading(tuple(records), tuple(found))
