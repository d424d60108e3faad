"""How often an open invoice is asked about."""

from __future__ import annotations

import pytest

from orchestrator.settings import Settings
from orchestrator.watch import intervals


@pytest.mark.parametrize(
    ("poll_interval", "fresh", "later"),
    [(2, 2, 4), (0.2, 0.2, 0.4), (1, 1, 2), (3, 3, 4), (4, 4, 4), (5, 5, 5), (9, 9, 9), (10, 9, 9)],
)
def test_often_while_fresh_and_never_over_ten_seconds(
    poll_interval: float, fresh: float, later: float
) -> None:
    found = intervals(Settings(_env_file=None, poll_interval=poll_interval))
    assert [interval.total_seconds() for interval in found] == [fresh, later]
