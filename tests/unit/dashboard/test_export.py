"""What a customer wrote is text in every spreadsheet."""

from __future__ import annotations

import csv
import io
import re

import pytest

from dashboard.pages.export import as_csv, harmless

FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
"""What a spreadsheet takes for one, in a cell of its own."""

HOSTILE = [
    "=cmd()",
    "+1",
    "-2",
    "@sum",
    " =1+1",
    "\t=1+1",
    "\n=1+1",
    "\uff1d1+1",
    "x;=cmd()",
    "x; =cmd();y",
    'x";=cmd();"',
    "x\t=cmd()",
    "x\r\n=cmd()",
    ";;=1;=2",
]


@pytest.mark.parametrize("cell", HOSTILE)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_cell_is_a_formula_however_the_file_is_taken_apart(cell: str, delimiter: str) -> None:
    written = as_csv([["id", cell, "end"]])
    pieces = [
        piece for row in csv.reader(io.StringIO(written, newline=""), delimiter=delimiter) for piece in row
    ]
    lines = [line for piece in pieces for line in piece.splitlines()]
    assert not any(FORMULA.match(line) for line in lines), written


@pytest.mark.parametrize(
    "cell", ["Anna Svensson", "a=b", "1-2; 3", "x;y", "anna@example.com", "", "c/o A\nB - C"]
)
def test_what_is_no_formula_stays_as_it_is(cell: str) -> None:
    assert harmless(cell) == cell
