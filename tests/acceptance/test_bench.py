"""`make bench` in miniature: the real program, the stub, the floor and the tables. No figure is judged."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bench import dashboard, flat, live, reconciler, start, suite, workers
from bench.cells import ASKED, CREATED, STOCKED, Row
from bench.databases import BOTH, SQLITE
from bench.load import Limits
from bench.programs import DBOS, FLOOR, MANUAL, ORCHESTRATOR, Program


@pytest.mark.parametrize("database", BOTH)
def test_every_cell_is_measured(database: str, tmp_path: Path) -> None:
    said: list[str] = []
    programs = (ORCHESTRATOR, Program("another", ("another",), needs="no_such_module"))
    scale = suite.Scale({1: Limits(2, 20), 3: Limits(10, 20)}, (database,), programs, Limits(2, 10))

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
    assert list(facts) == [f"above the SOAP call on {database}", "another is left out"]
    assert facts["another is left out"] == "no_such_module is not installed"
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


@pytest.mark.parametrize("database", BOTH)
@pytest.mark.parametrize("program", [MANUAL, DBOS], ids=lambda program: program.name)
def test_other_ways_are_measured_as_far_as_they_go(program: Program, database: str, tmp_path: Path) -> None:
    if not program.is_here:
        pytest.skip(f"make bench installs {program.needs}")
    scale = suite.Scale({2: Limits(4, 20)}, (database,), (program,), Limits(2, 10))

    table, _ = asyncio.run(suite.measure(scale, tmp_path, lambda _: None))

    rows = [line for line in table.lines if isinstance(line, Row) and line.program == program.name]
    assert [(row.scenario, row.count) for row in rows] == [(CREATED, 4)]


def test_the_start_and_rest_are_measured(tmp_path: Path) -> None:
    table = asyncio.run(start.measure(start.Scale(1, 0.1, (SQLITE,)), tmp_path, lambda _: None))

    (line,) = table.lines
    assert isinstance(line, start.Started)
    assert line.cpu_seconds > 0
    assert 0 < line.seconds == line.slowest


def test_processes_are_measured_together(tmp_path: Path) -> None:
    scale = workers.Scale((1, 2), Limits(6, 20), connections=3)

    table = asyncio.run(workers.measure(scale, tmp_path, lambda _: None))

    one, two = (line for line in table.lines if isinstance(line, workers.Crew))
    assert (one.workers, one.count, one.ratio, one.cpu_ratio) == (1, 12, 1.0, 1.0)
    assert (two.workers, two.count) == (2, 12)
    assert two.rss_mb > one.rss_mb


@pytest.mark.parametrize("database", BOTH)
def test_it_is_measured_how_often_open_invoices_are_asked_about(database: str, tmp_path: Path) -> None:
    scale = reconciler.Scale((20,), 10, (database,), calm=0)

    table = asyncio.run(reconciler.measure(scale, tmp_path, lambda _: None))

    (line,) = table.lines
    assert isinstance(line, reconciler.Asked)
    assert line.open == 20
    assert line.per_second * line.seconds >= 20
    assert 0 < line.longest <= line.seconds


def test_live_pages_are_measured(tmp_path: Path) -> None:
    scale = live.Scale((0, 12), 1, (SQLITE,), transitions=8)

    table = asyncio.run(live.measure(scale, tmp_path, lambda _: None))

    nobody, some = (line for line in table.lines if isinstance(line, live.Looked))
    assert (nobody.viewers, nobody.page_p95_ms, nobody.unseen) == (0, None, 0)
    assert (some.viewers, some.unseen, some.lost) == (12, 0, 0)
    assert some.page_p95_ms is not None
    assert some.page_p95_ms > 0


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


@pytest.mark.parametrize("database", BOTH)
def test_what_a_long_history_costs_is_measured(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flat, "ROUNDS", 4)
    monkeypatch.setattr(flat, "DUE", 8)
    monkeypatch.setattr(flat, "_ORDERS", Limits(4, 20))
    monkeypatch.setattr(flat, "_WARM_UP", Limits(1, 20))

    costs = asyncio.run(flat.measure((300, 600), tmp_path, lambda _: None, (database,)))

    assert [cost.name for cost in costs] == [
        "createPurchase, p50 ms",
        "list, p50 ms",
        "search by reference, p50 ms",
        "memory, MB",
        "claim of 8 that are due, p50 ms",
    ]
    assert all(cost.small > 0 and cost.large > 0 for cost in costs)
    assert len(flat.table(costs, (300, 600)).lines) == len(costs)
