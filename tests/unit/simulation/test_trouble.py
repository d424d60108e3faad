"""When a reversed payment is nobody's fault."""

from __future__ import annotations

import pytest

from simulation.trouble import Trouble


@pytest.fixture
def trouble() -> Trouble:
    return Trouble()


def test_without_trouble_all_of_it_is_clear(trouble: Trouble) -> None:
    assert trouble.clear_stretch("P", 100, 120) == (100, 120)


def test_nothing_is_clear_while_nobody_can_ask(trouble: Trouble) -> None:
    trouble.begin("SEQR away", 90)
    assert trouble.clear_stretch("P", 100, 120) is None
    trouble.end("SEQR away", 111)
    assert trouble.clear_stretch("P", 100, 120) == (111, 120)
    assert trouble.clear_stretch("P", 100, 118.9) is None


def test_two_kinds_of_trouble_may_overlap(trouble: Trouble) -> None:
    trouble.begin("SEQR away", 95)
    trouble.begin("database away", 103)
    trouble.end("SEQR away", 105)
    trouble.end("database away", 114)
    assert trouble.clear_stretch("P", 100, 120) is None
    assert trouble.clear_stretch("P", 100, 123) == (114, 123)


def test_single_faults_break_a_stretch_and_those_of_others_do_not(trouble: Trouble) -> None:
    trouble.strike("SEQR: lost", 107, "P")
    trouble.strike("database: slow", 110, lasting=3)
    assert trouble.clear_stretch("P", 100, 120) is None
    assert trouble.clear_stretch("Q", 100, 120) == (100, 110)


def test_what_was_over_before_is_forgotten(trouble: Trouble) -> None:
    trouble.begin("SEQR away", 80)
    trouble.end("SEQR away", 99)
    trouble.strike("process died", 98)
    assert trouble.clear_stretch("P", 100, 120) == (100, 120)
