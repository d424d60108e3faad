"""`make conform` in miniature: schemathesis, the real program, SEQR's sandbox and customers."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.databases import SQLITE
from conformance.interview import Plan, interview
from conformance.record import table


def test_the_program_does_what_its_description_says(tmp_path: Path) -> None:
    outcome = asyncio.run(interview(SQLITE, Plan(seed=1, examples=2), tmp_path))

    assert outcome.complaints == []
    assert outcome.report["operations"]["tested"] == outcome.report["operations"]["total"] == 10
    assert outcome.report["test_cases"]["generated"] > 400
    for call, rates in outcome.report["valid_rates"].items():
        assert any(rate["accepted"] + rate["conflicts"] for rate in rates.values()), call
    assert "right" in table([outcome])
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".xml"]
