"""`make bench` in miniature: the real program, the stub, the floor and the tables. No figure is judged."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bench import dashboard, suite
from bench.cells import ASKED, CREATED, STOCKED, Row
from bench.databases import BOTH, SQLITE
from bench.load import Limits
from bench.programs import FLOOR, ORCHESTRATOR


@pytest.mark.parametrize("database", BOTH)
def test_every_cell_is_measured(database: str, tmp_path: Path) -> None:
    said: list[str] = []
    scale = suite.Scale({1: Limits(2, 20), 3: Limits(10, 20)}, (database,), warm_up=Limits(2, 10))

    table, facts = asyncio.run(suite.measure(scale, tmp_path, said.append))

    rows = [line for line in table.lines if isinstance(line, Row)]
    counts = {(row.scenario, row.program, row.connections): row.count for row in rows}
    assert counts == {
        (scenario, program.name, connections): count
        for connections, count in ((1, 2), (3, 10))
        for scenario in (CREATED, ASKED, STOCKED)
        for program in (FLOOR, ORCHESTRATOR)
    }
    assert said == [
        f"starting floor on {database}",
        f"starting orchestrator on {database}",
        f"1 connections on {database}",
        f"3 connections on {database}",
    ]
    for row in rows:
        assert 0 < row.p50_ms <= row.p99_ms
        assert (row.per_second is None) == (row.scenario == ASKED)
        assert row.program != FLOOR.name or row.ratio in (None, 1.0)
    assert list(facts) == [f"above the SOAP call on {database}"]
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


@pytest.mark.parametrize("database", BOTH)
def test_every_page_of_the_dashboard_is_measured(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "ROUNDS", 1)
    said: list[str] = []

    figures = asyncio.run(dashboard.measure((200,), tmp_path, said.append, (database,)))

    names = [figure.name for figure in figures]
    assert {"overview", "one purchase", "list", "deep page", "filters together", "search, none"} <= set(names)
    assert len(names) == len(set(names))
    assert all(0 < figure.p50 <= figure.p95 for figure in figures)
    assert len(dashboard.table(figures).lines) == len(figures)
    assert said == [f"making 200 purchases on {database}", f"asking for pages of 200 purchases on {database}"]
    assert [path.suffix for path in tmp_path.iterdir()] == ([".db"] if database == SQLITE else [])
