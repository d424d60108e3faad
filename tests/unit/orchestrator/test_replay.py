"""A journal held against its purchase: what agrees, and what is said of what does not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orchestrator.replay import Step, Stored, disagreement

Told = tuple[str, str | None, str, str]
"""Trigger, source, target and detail of a row."""

PLACED: Told = ("place", None, "received", "")
INVOICED: Told = ("invoice", "received", "invoiced", "")
MARKED: Told = ("attention", "invoiced", "invoiced", "Look at it.")
UNMARKED: Told = ("attention_over", "invoiced", "invoiced", "")
NOTED: Told = ("note", "invoiced", "invoiced", "She rang.")
PAID: Told = ("pay", "invoiced", "paid", "")


def compared(
    state: str, attention: str | None, rows: Sequence[Told], revision: int | None = None
) -> str | None:
    """What is said of a purchase ``p`` with such a journal."""
    number = len(rows) if revision is None else revision
    return disagreement(
        Stored("p", state, number, attention),
        [Step("p", sequence, *row) for sequence, row in enumerate(rows, start=1)],
    )


@pytest.mark.parametrize(
    ("state", "attention", "rows"),
    [
        ("received", None, [PLACED]),
        ("invoiced", "Look at it.", [PLACED, INVOICED, MARKED]),
        ("invoiced", "Look at it.", [PLACED, INVOICED, MARKED, NOTED]),
        ("invoiced", None, [PLACED, INVOICED, MARKED, UNMARKED]),
        ("paid", None, [PLACED, INVOICED, MARKED, PAID]),
        ("invoiced", "Look at it.", [PLACED, INVOICED, MARKED, UNMARKED, MARKED]),
    ],
)
def test_a_mark_is_there_until_it_is_over_or_the_purchase_moves(
    state: str, attention: str | None, rows: list[Told]
) -> None:
    assert compared(state, attention, rows) is None
    other = None if attention else "Look at it."
    assert compared(state, other, rows) == "p: its attention mark is not the journal's."


def test_a_purchase_without_a_journal_is_told_of() -> None:
    assert compared("received", None, []) == "p is received at revision 0, its journal ends with None at 0."


def test_a_row_that_does_not_follow_is_named() -> None:
    wrong = "p: row 2 of its journal, invoiced → pay → paid, cannot follow on received."
    assert compared("paid", None, [PLACED, PAID]) == wrong


def test_more_changes_than_rows_are_told_of() -> None:
    said = compared("invoiced", None, [PLACED, INVOICED], revision=3)
    assert said == "p is invoiced at revision 3, its journal ends with invoiced at 2."
