"""One run of the fuzzer on one target: started in a process of its own, listened to, its figures kept."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fuzz.figures import Figures

ENDINGS = "endings.json"
"""Where the engine counts how inputs ended, in its directory."""

_MEMORY = Path("/dev/shm")  # noqa: S108
_OPTIONS = ("-timeout=60", "-mutate_depth=3", "-print_final_stats=1")
"""An input that takes longer than so many seconds counts as a crash."""
_KEEP_EVERY = 10.0
_LAST_WORDS = 60


class FuzzError(Exception):
    """The fuzzer itself failed; the message says how."""


@contextmanager
def workplace() -> Iterator[Path]:
    """A directory for what need not last: in memory, where the system has such a place."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as directory:
        yield Path(directory)


def run(name: str, seconds: int, directory: Path) -> Figures:
    """Fuzz a target for so long, or until its judge breaks; the figures are written to the directory.

    Raises FuzzError when the fuzzer fails for another reason.
    """
    corpus, figures = directory / "corpus" / name, Figures(name)
    corpus.mkdir(parents=True, exist_ok=True)
    with workplace() as work, (directory / f"{name}.log").open("w", encoding="utf-8") as log:
        options = [*_OPTIONS, f"-max_total_time={seconds}", f"-artifact_prefix={directory / name}-"]
        command = [sys.executable, "-m", "fuzz.engine", name, str(work), *options, str(corpus)]
        with subprocess.Popen(  # noqa: S603  # ourselves
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as fuzzer:
            assert fuzzer.stdout is not None
            last_words = _listen(fuzzer.stdout, log, figures, directory, work / ENDINGS)
    if fuzzer.returncode:
        sys.stderr.write(last_words)
        if not figures.crashes:
            raise FuzzError(f"the fuzzer ended with status {fuzzer.returncode}; {log.name} says why.")
    return figures


def _listen(said: IO[str], log: IO[str], figures: Figures, directory: Path, endings: Path) -> str:
    """Hear the fuzzer out; returns its last words."""
    last_words: deque[str] = deque(maxlen=_LAST_WORDS)
    began, keep_at = time.monotonic(), 0.0
    for line in said:
        log.write(line)
        last_words.append(line)
        figures.hear(line)
        figures.seconds = time.monotonic() - began
        if figures.seconds > keep_at:  # an interrupted run has told something too
            _keep(figures, directory, endings)
            keep_at = figures.seconds + _KEEP_EVERY
        _show_progress(figures)
    _keep(figures, directory, endings)
    return "".join(last_words)


def _keep(figures: Figures, directory: Path, endings: Path) -> None:
    if endings.exists():
        figures.endings = json.loads(endings.read_bytes())
    figures.write(directory)


def _show_progress(figures: Figures) -> None:
    if sys.stderr.isatty():
        print(f"\r{figures.line()}, {figures.seconds:.0f} s ", end="", file=sys.stderr, flush=True)
