"""What the fuzzer prints, as figures."""

from __future__ import annotations

from fuzz.figures import Figures, table

SAID = """\
INFO: seed corpus: files: 33 min: 1b max: 4b total: 9b rss: 99Mb
#34	INITED cov: 480 ft: 700 corp: 30/6100b exec/s: 0 rss: 150Mb
#8192	pulse  cov: 604 ft: 894 corp: 53/14176b lim: 4553 exec/s: 240 rss: 158Mb
#9523	REDUCE cov: 605 ft: 896 corp: 55/14Kb lim: 4553 exec/s: 238 rss: 160Mb L: 204/1053 MS: 2 Custom-
artifact_prefix='var/fuzz/x-'; Test unit written to var/fuzz/x-crash-0ec7
stat::number_of_executed_units: 9617
"""


def test_figures_are_heard() -> None:
    figures = Figures("x", seconds=40.0, endings={"200": 3, "400": 9000})
    for line in SAID.splitlines():
        figures.hear(line)

    assert (figures.executions, figures.edges, figures.features, figures.corpus) == (9617, 605, 896, 55)
    assert figures.crashes == ["var/fuzz/x-crash-0ec7"]
    assert figures.line() == "x: 9,617 executions, 605 edges, 55 inputs kept"
    line = " ".join(table([figures]).splitlines()[1].split())
    assert line == "x 40 9,617 240 605 896 55 1 400 9,000, 200 3"


def test_a_run_that_did_nothing_has_no_pace() -> None:
    assert Figures("x").per_second == 0
