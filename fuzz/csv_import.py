"""A product file, imported by somebody: read, previewed, imported, exported, and read back.

Any bytes are either refused, naming the lines, with the catalogue as it was; or they are products, of which
the catalogue then says just what the file said, which can be exported, and of which the export makes the same
products again, here and in an empty shop.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from fuzz.csv_samples import SEEDS, WORDS
from fuzz.target import Judge, Target, within
from orchestrator import catalogue, catalogue_csv, shopkeeper
from orchestrator.catalogue_cells import COLUMNS
from orchestrator.catalogue_csv import DEMO, Problem, Reading, Record, WrongFile
from orchestrator.catalogue_import import Preview, preview
from orchestrator.product import Product
from orchestrator.stamp import Stamp
from simulation.database import Store, migrated

_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
_STAMP = Stamp("operator:eva", _AT)
_FORMULA = tuple("=+-@\t")
"""How a cell begins that a spreadsheet computes."""
_LONGEST_SENTENCE = 800
"""Of a cell 64 characters are shown, each of up to ten letters where it cannot be printed."""
_REFUSED = _NO_FILE, _WRONG_LINES = "no product file", "lines in error"


class _Door:
    """Lets files in, one after the other; nothing of them stays."""

    def __init__(self) -> None:
        self._shop, self._empty_shop = Store(), Store()
        for store in (self._shop, self._empty_shop):
            store.reset(migrated())
        demo = catalogue_csv.parse(DEMO.read_bytes())
        self._shop.write(lambda connection: catalogue_csv.apply(connection, demo, "cli", _AT))
        self._before = self._shop.read(catalogue.list_products)

    def judge(self, data: bytes) -> str:
        """Let one file in."""
        endings: list[str] = []
        changes = self._shop.raw.total_changes
        self._shop.undo(lambda connection: endings.append(self._import(connection, data)))
        if endings[0] in _REFUSED:
            assert self._shop.raw.total_changes == changes, "it was refused, and yet something was written"
        return endings[0]

    def _import(self, connection: Connection, data: bytes) -> str:
        try:
            reading = catalogue_csv.read(data)
        except WrongFile as error:
            _check_words(error.problems)
            _check_refused(connection, data)
            return _NO_FILE
        found = preview(connection, reading)
        _check_problems(data, found.wrong)
        if found.wrong:
            _check_refused(connection, data)
            return _WRONG_LINES
        _check_dashboard(connection, reading, found)
        plan = shopkeeper.import_records(connection, catalogue_csv.parse(data), "cli", _AT)
        assert (len(plan.created), len(plan.changed)) == (len(found.added), len(found.changed)), plan
        after = catalogue.list_products(connection)
        _check_imported(reading.records, self._before, after)
        self._check_export(connection, after)
        return "products" if plan.written else "no change"

    def _check_export(self, connection: Connection, products: Sequence[Product]) -> None:
        """What is exported changes nothing when it is imported, and makes the same catalogue elsewhere."""
        text = catalogue_csv.export(products)
        for row in csv.reader(io.StringIO(text)):
            assert not any(cell.startswith(_FORMULA) for cell in row), row
        records = catalogue_csv.parse(text.encode())
        plan = catalogue_csv.plan(connection, records)
        assert not plan.written, plan.written
        made: list[Product] = []

        def start_anew(empty: Connection) -> None:
            catalogue_csv.apply(empty, records, "cli", _AT)
            made.extend(catalogue.list_products(empty))

        self._empty_shop.undo(start_anew)
        assert made == [replace(product, revision=0) for product in products]


def _check_refused(connection: Connection, data: bytes) -> None:
    """The command line refuses it, too."""
    try:
        catalogue_csv.apply(connection, catalogue_csv.parse(data), "cli", _AT)
    except WrongFile as error:
        refused = error
    else:
        raise AssertionError("the preview refuses what the command line imports")
    _check_words(refused.problems)
    assert refused.total >= len(refused.problems) > 0, refused.total


def _check_problems(data: bytes, problems: Sequence[Problem]) -> None:
    lines = data.count(b"\n") + data.count(b"\r") + 1
    for problem in problems:
        assert 1 <= problem.line <= lines, problem
        assert problem.column in ("", *COLUMNS), problem
    _check_words([str(problem) for problem in problems])


def _check_words(sentences: Sequence[str]) -> None:
    """A person can read them, on any terminal."""
    for sentence in sentences:
        assert sentence.startswith(("line ", "the file ")), sentence
        assert len(sentence) < _LONGEST_SENTENCE, sentence
        assert sentence.isprintable(), sentence


def _check_dashboard(connection: Connection, reading: Reading, found: Preview) -> None:
    """Confirmed at once, the preview is what is done."""
    with connection.begin_nested() as step:
        done = shopkeeper.import_file(connection, reading.records, found.fingerprint, _STAMP, "127.0.0.1")
        step.rollback()
    assert (done.added, done.changed, done.unchanged) == (found.added, found.changed, found.unchanged)


def _check_imported(records: Sequence[Record], before: Sequence[Product], after: Sequence[Product]) -> None:
    """Every product of the file is as the file says; no other one was touched but for its parts' stock."""
    there = {product.token: product for product in after}
    named = {record.change.token for record in records}
    for record in records:
        _check_product(record, there[record.change.token])
    assert {product.token for product in after} == named | {product.token for product in before}
    for product in before:
        if product.token not in named and not product.bundle:
            assert there[product.token] == product


def _check_product(record: Record, product: Product) -> None:
    wanted = record.change
    for name in ("token", "title", "price", "tax_rate", "sku", "ean"):
        assert getattr(product, name) == getattr(wanted, name), (name, product, wanted)
    assert [(part.token, part.quantity) for part in product.bundle] == [
        tuple(piece) for piece in wanted.bundle
    ]
    if wanted.for_sale is not None:
        assert product.for_sale is wanted.for_sale, product
    if wanted.on_hand is not None and not wanted.bundle:
        assert product.on_hand == wanted.on_hand, product


@contextmanager
def _open(_: Path) -> Iterator[Judge]:
    yield _Door().judge


TARGET = Target(
    open=_open,
    seeds=SEEDS,
    words=WORDS,
    longest=4096,
    vary=within(
        re.compile(rb"(?<=[,;])[^,;\r\n]*(?=[,;])"),  # a cell
        re.compile(rb"[^,;\r\n]+"),
        re.compile(rb"[^\n]+\n"),
        anew=SEEDS["products"],
    ),
)
