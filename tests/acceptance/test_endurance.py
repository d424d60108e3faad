"""`make endure` in miniature: customers, SEQR, mail server and audit around the real program."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from random import Random

from bench.databases import SQLITE
from endurance.customers import MODES, Plan
from endurance.record import table, write
from endurance.run import endure


def mixed(plan: Plan, chance: Random) -> list[float]:
    """Each purchase in a mode of its own."""
    return chance.choice(list(MODES.values()))(plan, chance)


def test_forty_purchases_of_every_mode_end_in_forty_sales(tmp_path: Path) -> None:
    said: list[str] = []
    plan = Plan(count=40, crowd=10, per_second=25, late=(0.5, 1.5), spread=(-0.5, 1.0))

    outcome = asyncio.run(endure("mixed", mixed, SQLITE, plan, tmp_path, said.append))

    verdict = outcome.verdict
    assert outcome.complaints == ()
    assert (verdict.paid, verdict.reversed, verdict.lost, verdict.doubled) == (40, 0, 0, 0)
    assert verdict.after_payment.number == 40
    assert verdict.after_notification.number >= 10, "early ones, and those at once, brought about a question"
    assert outcome.crowd is not None
    assert outcome.crowd >= 10
    assert outcome.asked >= 40
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"

    write([outcome], tmp_path)
    (kept,) = tmp_path.glob("*.json")
    assert json.loads(kept.read_text())[0]["verdict"]["paid"] == 40
    assert kept.with_suffix(".txt").read_text() == table([outcome]) + "\n"
