"""The tables: what stands in them, and that nothing is made up where there is no figure."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from bench.cells import CREATED, HEADER, TEXTS, Row
from bench.report import Report, Table
from bench.table import laid_out

ROWS = [
    Row(CREATED, "SQLite", "floor", 8, 1000, 1.0, 1.0, 1000.0, 0.5, 80.0, 1.0, 1.0),
    Row(CREATED, "SQLite", "orchestrator", 8, 1000, 4.0, 8.0, 500.0, 1.25, 120.4, 0.5, 2.5),
    Row("notification to asked", "SQLite", "orchestrator", 8, 2, 3.0, 5.0),
]
TABLE = Table("What customers do", HEADER, ROWS, TEXTS)
REPORT = Report(datetime(2015, 3, 6, 7, 22, 26, tzinfo=UTC), {"machine": "2 cores"}, [TABLE])


def test_a_table_has_a_line_for_each_row_below_its_header() -> None:
    facts, empty, title, header, alone, served, moment = REPORT.text().splitlines()
    assert (facts, empty, title) == ("machine: 2 cores", "", "What customers do")
    assert header.split("  ")[-2:] == ["of floor", "CPU × floor"]
    assert _cells(alone) == "createPurchase|SQLite|floor|8|1000|1,000|1.0|1.0|0.50|80|1.00|1.0"
    assert _cells(served) == "createPurchase|SQLite|orchestrator|8|1000|500|4.0|8.0|1.25|120|0.50|2.5"
    assert _cells(moment) == "notification to asked|SQLite|orchestrator|8|2|-|3.0|5.0|-|-|-|-"
    assert {len(line) for line in (header, alone, served, moment)} == {len(header)}


def test_text_and_json_say_the_same(tmp_path: Path) -> None:
    text = REPORT.write(tmp_path)
    assert text.name == "2015-03-06T072226Z.txt"
    assert text.read_text() == REPORT.text()
    whole = json.loads(text.with_suffix(".json").read_text())
    assert whole["measured_at"] == "2015-03-06T07:22:26+00:00"
    assert [Row(**row) for row in whole["tables"]["What customers do"]] == ROWS


def test_words_start_at_the_left_and_numbers_end_at_the_right() -> None:
    lines = [("mug", "7"), ("a teapot", "1,234")]
    assert laid_out(("what", "n"), lines, texts=1).splitlines() == [
        "what          n",
        "mug           7",
        "a teapot  1,234",
    ]
    assert laid_out(("what", "n"), lines).splitlines() == ["what      n", "mug       7", "a teapot  1,234"]


def _cells(line: str) -> str:
    return re.sub(r"\s{2,}", "|", line)
