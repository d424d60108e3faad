"""What the kernel says that a process costs, and how one is ended."""

from __future__ import annotations

import asyncio
import os
import time
from asyncio.subprocess import Process
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 20.0
"""Seconds that a process has to end by itself."""

_MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU used so far, in ms of user and system time together, and resident memory in MB."""

    cpu_ms: float
    rss_mb: float


def cost(pid: int) -> Cost:
    """What a process and all that it started cost; of those that are over nothing is known."""
    family = list(_family(pid))
    return Cost(sum(map(_cpu_ms, family)), sum(map(_rss_mb, family)))


async def share(pid: int, seconds: float) -> float:
    """How much of a core it uses in the next seconds: 0.05 is 5 %."""
    before, began = cost(pid), time.monotonic()
    await asyncio.sleep(seconds)
    return (cost(pid).cpu_ms - before.cpu_ms) / (time.monotonic() - began) / 1000


def _family(pid: int) -> Iterator[int]:
    yield pid
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in thread.read_text().split():
            yield from _family(int(child))


def _cpu_ms(pid: int) -> float:
    """From the process' own clock, which the kernel names like this (clock_getcpuclockid(3)): what stands in
    /proc comes in ticks of 10 ms."""
    return time.clock_gettime(~pid << 3 | 2) * 1000


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MEBIBYTE


async def end(process: Process) -> None:
    """Ask a process of ours to stop, and make it stop if it does not."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()
