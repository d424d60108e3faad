"""What a process costs: with those it started, and finer than the ticks of /proc."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from bench.process import cost


def test_the_cost_of_a_process_has_that_of_its_children() -> None:
    alone = cost(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", "print(); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        family, its = cost(os.getpid()), cost(child.pid)
        child.communicate(b"\n")
    assert its.rss_mb > 1
    assert its.cpu_ms > 0
    assert family.rss_mb > alone.rss_mb
    assert family.cpu_ms >= alone.cpu_ms + its.cpu_ms * 0.5


def test_cpu_is_told_to_less_than_a_tick() -> None:
    before, begun = cost(os.getpid()).cpu_ms, time.process_time()
    while time.process_time() - begun < 0.002:
        pass
    assert cost(os.getpid()).cpu_ms - before >= 2
