"""What the kernel says that a process costs, and how one is ended."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import Process
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 20.0
"""Seconds that a process has to end by itself."""

_UTIME, _STIME = 11, 12
_MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU used so far, in ms of user and system time together, and resident memory in MB."""

    cpu_ms: float
    rss_mb: float


def cost(pid: int) -> Cost:
    """Read /proc. CPU comes in ticks of 10 ms, so it takes many requests to tell what one costs."""
    # The command's name stands in parentheses and may hold anything; the fields after it are numbered from 0.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[_UTIME]) + int(fields[_STIME])
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Cost(ticks * 1000 / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / _MEBIBYTE)


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
