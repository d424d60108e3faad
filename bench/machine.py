"""What the figures were measured on. Without it they say nothing."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from pathlib import Path

from bench.load import percentile

_FLUSHES = 30
_PAGE = bytes(4096)


def machine(homes: dict[str, Path]) -> dict[str, str]:
    """Facts by name. ``homes`` are the directories that the databases are in, by database."""
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "load before": load(),
        **{f"flush to disk, {name}": f"{flush_ms(home):.2f} ms (median)" for name, home in homes.items()},
    }


def load() -> str:
    """The load average of the last minute: what others do on the machine is in the figures too."""
    return f"{os.getloadavg()[0]:.1f}"


def flush_ms(directory: Path) -> float:
    """The median of what it takes to have 4 KiB on the disk: the durability that both databases wait for."""
    with tempfile.TemporaryFile(dir=directory) as file:
        return percentile([_flush(file.fileno()) for _ in range(_FLUSHES)], 50)


def _flush(descriptor: int) -> float:
    begun = time.perf_counter()
    os.write(descriptor, _PAGE)
    os.fdatasync(descriptor)
    return (time.perf_counter() - begun) * 1000
