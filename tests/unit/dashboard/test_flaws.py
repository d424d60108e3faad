"""Flaws of products and product files: all that the catalogue can say is known again by its shape."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import orchestrator
from dashboard.flaws import FLAWS, flaw
from dashboard.language import language
from dashboard.shapes import fits

ROOM = Path(orchestrator.__file__).parent
SPEAKERS = {
    "product.py": {"_token", "_text", "_tax_rate", "_within", "_pieces", "problems"},
    "bundle.py": {"_wrong_part", "_has_stock", "_as_part", "_as_bundle"},
    "catalogue_cells.py": {"_number", "_price", "_count", "_yes_or_no", "_pieces"},
    "catalogue_csv.py": {"_text", "_records", "_columns", "_rows"},
}
"""The functions that say what is wrong, by file."""

OTHERS = {"part xx xx", "line xx: xx", "end of data"}
"""Texts around a flaw that is told of itself, and what the csv module says."""


def shape(node: ast.expr) -> str:
    """A text or f-string with something for each value in it."""
    if isinstance(node, ast.JoinedStr):
        return "".join(shape(each) for each in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else "xx"


def said(file: str) -> set[str]:
    """What the file's speakers say, with ``xx`` for values."""
    tree = ast.parse((ROOM / file).read_text(encoding="utf-8"))
    functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]
    found: set[str] = set()
    for function in (each for each in functions if each.name in SPEAKERS[file]):
        inner = {
            id(part) for each in ast.walk(function) if isinstance(each, ast.JoinedStr) for part in each.values
        }
        docs = ast.get_docstring(function)
        found |= {
            shape(node)
            for node in ast.walk(function)
            if isinstance(node, ast.JoinedStr | ast.Constant)
            and id(node) not in inner
            and isinstance(getattr(node, "value", ""), str)
            and getattr(node, "value", "") != docs
        }
    return {text for text in found if " " in text.replace("xx", "").strip(" :")}


@pytest.mark.parametrize("file", SPEAKERS)
def test_every_flaw_is_known_by_its_shape(file: str) -> None:
    texts = said(file)
    assert texts
    unknown = {
        text
        for text in texts
        if not any(fits(shape_, text) or fits(shape_, f"line 1: {text}") for shape_ in FLAWS)
    }
    assert unknown <= OTHERS


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("should be 0 to 100 percent", "It should be 0 to 100 percent."),
        ("should be 0 to 1000000000", "It should be 0 to 1000000000."),
        ("part 'mug' should be 1 to 1000000", "Of 'mug' there should be 1 to 1000000."),
        ("part 'x y' should be 1 to 64 letters, digits, '.', '_' or '-'", "'x y' is no token: it should be"),
        ("'part a' should be a number such as 149.90", "'part a' should be a number such as 149.90."),
        ("line 3: column 'odd' is unknown", "Line 3: the column 'odd' is unknown."),
        ("something new", "something new"),
    ],
)
def test_flaws_are_sentences(written: str, words: str) -> None:
    assert flaw(language("en"), written).startswith(words)
