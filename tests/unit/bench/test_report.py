"""The table: what stands in it, and that nothing is made up where there is no figure."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from bench.load import Run
from bench.report import FLOOR, Report, Row

ALONE = Run(elapsed=1.0, latencies=[1.0] * 1000, cpu_ms=0.5, rss_mb=80)
SERVED = Run(elapsed=2.0, latencies=[4.0, 8.0] * 500, cpu_ms=1.25, rss_mb=120)
ROWS = [
    Row.of_run("createPurchase", FLOOR, 8, ALONE, ALONE),
    Row.of_run("createPurchase", "SQLite", 8, SERVED, ALONE),
    Row.of_latencies("notification to asked", "SQLite", 8, [3.0, 5.0]),
]
REPORT = Report(datetime(2015, 3, 6, 7, 22, 26, tzinfo=UTC), {"machine": "2 cores"}, ROWS)


def test_a_row_is_held_against_the_floor() -> None:
    header, alone, served, moment = REPORT.text().splitlines()[2:]
    assert header.split("  ")[-2:] == ["of floor", "CPU × floor"]
    assert _cells(alone) == "createPurchase|floor|8|1000|1,000|1.0|1.0|0.50|-|1.00|1.0"
    assert _cells(served) == "createPurchase|SQLite|8|1000|500|4.0|8.0|1.25|120|0.50|2.5"
    assert _cells(moment) == "notification to asked|SQLite|8|2|-|3.0|5.0|-|-|-|-"
    assert {len(line) for line in (header, alone, served, moment)} == {len(header)}


def test_text_and_json_say_the_same(tmp_path: Path) -> None:
    text = REPORT.write(tmp_path)
    assert text.name == "2015-03-06T072226Z.txt"
    assert text.read_text() == REPORT.text()
    whole = json.loads(text.with_suffix(".json").read_text())
    assert whole["measured_at"] == "2015-03-06T07:22:26+00:00"
    assert [Row(**row) for row in whole["rows"]] == ROWS


def _cells(line: str) -> str:
    return re.sub(r"\s{2,}", "|", line)
