"""What a batch changes in the list: told once to all who look alike, and to each what his filter says."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from dashboard.changes import Changes, View
from dashboard.queries.purchases import Counts, PurchaseRow
from orchestrator.money import Money
from orchestrator.search import Query, Word
from orchestrator.selection import Filter

ROW = PurchaseRow(
    id="a",
    state="paid",
    reason=None,
    attention=None,
    revision=3,
    title="Mug",
    token="mug",
    amount=Money(Decimal(149), "SEK"),
    customer="Åsa",
    invoice_reference=None,
    ers_reference=None,
    created_at=datetime(2026, 3, 1, tzinfo=UTC),
    search_text=" asa",
)
VIEW = View("en", Filter(), None, None)


class Drawn:
    """Draws rows, and remembers which."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []

    def __call__(self, language: str, row: PurchaseRow) -> str:
        self.rows.append((language, row.id))
        return f"<tr>\n{row.state}</tr>"


def changes(drawn: Drawn, paid: int = 1) -> Changes:
    rows = [("7", ROW), ("9", replace(ROW, id="b", state="failed"))]
    return Changes(rows, Counts({"paid": paid, "failed": 1}, attention=0), drawn)


def events(message: bytes) -> list[str]:
    return re.findall(r"event: (\S+)", message.decode())


def test_a_row_goes_out_with_the_id_to_go_on_from() -> None:
    message = changes(Drawn()).message(VIEW, (), str).decode()
    assert message.startswith(
        "id: 7\r\nevent: p-a\r\ndata: <tr>\r\ndata: paid</tr>\r\n\r\nid: 9\r\nevent: p-b\r\n"
    )


def test_all_who_look_alike_are_told_the_same_bytes() -> None:
    drawn = Drawn()
    told = changes(drawn)
    first = told.message(VIEW, (), str)
    assert told.message(replace(VIEW), (), str) is first
    assert told.message(replace(VIEW, filter=Filter(reason="expired")), (), str) != first
    assert told.message(replace(VIEW, language="sv"), (), str) is not first
    assert drawn.rows == [("en", "a"), ("en", "b"), ("sv", "a"), ("sv", "b")]


def test_what_does_not_fit_the_filter_is_out_and_the_rest_arrives() -> None:
    view = View("en", Filter(states=("paid",)), Query(words=(Word("as"),)), arrivals=3)
    assert events(changes(Drawn()).message(view, told_already(), str)) == ["p-a", "arrival", "p-b", "out"]


def test_what_a_page_has_shown_does_not_arrive() -> None:
    view = replace(VIEW, arrivals=8)
    assert events(changes(Drawn()).message(view, told_already(), str)) == ["p-a", "p-b", "arrival"]


def test_only_numbers_that_have_changed_are_told() -> None:
    told = changes(Drawn(), paid=2)
    message = told.message(VIEW, told_already(), "{} x".format)
    assert events(message)[2:] == ["n-paid", "n-all"]
    assert b"event: n-paid\r\ndata: 2 x\r\n\r\n" in message
    assert events(told.message(VIEW, (), str))[2:] == ["n-paid", "n-failed", "n-all", "n-attention"]


def test_nothing_is_told_of_what_is_gone() -> None:
    counts = Counts({"paid": 1, "failed": 1}, attention=0)
    assert Changes([], counts, Drawn()).message(VIEW, told_already(), str) == b""


def told_already() -> tuple[tuple[str, int], ...]:
    return changes(Drawn()).numbers
