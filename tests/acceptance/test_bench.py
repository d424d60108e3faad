"""`make bench` in miniature: the real program, the stub, the floor and the table. No figure is judged."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bench import dashboard
from bench.load import Limits
from bench.report import FLOOR
from bench.suite import ASKED, CREATED, POSTGRESQL, SEEN, SQLITE, STOCKED, Scale, measure


@pytest.mark.parametrize("database", [SQLITE, POSTGRESQL])
def test_every_cell_is_measured(database: str, tmp_path: Path) -> None:
    said: list[str] = []
    tiny = Scale(
        {1: Limits(2, 20), 3: Limits(10, 20)},
        (database,),
        warm_up=Limits(2, 10),
        viewers=3,
        changes=2,
        idle_seconds=0.1,
    )

    report = asyncio.run(measure(tiny, tmp_path, said.append))

    counts = {(row.scenario, row.stack, row.connections): row.count for row in report.rows}
    scenarios = [
        (CREATED, FLOOR),
        (CREATED, database),
        (ASKED, database),
        (STOCKED, FLOOR),
        (STOCKED, database),
    ]
    expected = {(*where, connections): n for connections, n in ((1, 2), (3, 10)) for where in scenarios}
    assert counts == expected | {(SEEN, database, 3): 6}
    assert said == [
        f"starting serve on {database}",
        "1 connections",
        "3 connections",
        f"3 viewers on {database}",
    ]
    for row in report.rows:
        assert 0 < row.p50_ms <= row.p99_ms
        assert (row.per_second is None) == (row.scenario in (ASKED, SEEN))
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


@pytest.mark.parametrize("database", [SQLITE, POSTGRESQL])
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
    assert len(dashboard.table(figures).splitlines()) == len(figures) + 1
    assert said == [f"making 200 purchases on {database}", f"asking for pages of 200 purchases on {database}"]
    assert [path.suffix for path in tmp_path.iterdir()] == ([".db"] if database == SQLITE else [])
