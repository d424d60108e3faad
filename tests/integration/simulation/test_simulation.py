"""The simulation: a few seeds hold, the same seed is the same story, and planted bugs do not get away."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from simulation.planted import BUGS
from simulation.run import run

SEEDS = range(1, 81)
"""The fixed set."""

CAUGHT_BY = {
    "any_amount": 10,
    "any_invoice": 4,
    "believe_unknown_cancel": 17,
    "endless_lease": 3,
    "expire_without_cancelling": 2,
    "forget_claimed_mail": 7,
    "forget_superseded": 6,
    "let_late_invoice_be": 16,
    "lose_patience_with_seqr": 85,
    "mail_without_lease": 2,
    "paid_counts_as_cancelled": 10,
    "wait_for_each_check": 62,
}
"""A seed that catches the bug soon. Where the product's ways have changed, another of the set does."""


@pytest.mark.parametrize("seed", SEEDS[:5])
def test_every_invariant_holds(seed: int) -> None:
    report = run(seed)
    assert report.breach is None, "\n".join(report.story)
    assert sum(report.steps.values()) > 100
    assert sum(report.checks.values()) > 100


def test_the_same_seed_tells_the_same_story() -> None:
    here = run(4, tell=True)
    again = subprocess.run(
        [sys.executable, "-m", "simulation", "--seed", "4"],
        env={**os.environ, "PYTHONHASHSEED": "17"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout.splitlines() == [*here.story, f"digest {here.digest}"]
    assert here.digest != run(5, tell=True).digest


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(bug: str) -> None:
    for seed in (CAUGHT_BY.get(bug, 1), *SEEDS):
        with BUGS[bug]():
            report = run(seed)
        if report.breach is not None:
            assert f"INVARIANT    {report.breach.invariant}: " in report.story[-1]
            return
    pytest.fail(f"{bug} got away: {BUGS[bug].__doc__}")
