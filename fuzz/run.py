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
from fuzz.target import Target, load

ENDINGS = "endings.json"
"""Where the engine counts how inputs ended, in the judge's directory."""

_MEMORY = Path("/dev/shm")  # noqa: S108
_SLOWEST = 60
"""Seconds that an input may take before it counts as a crash."""
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
        options = _options(load(name), work, seconds)
        options += [f"-artifact_prefix={directory / name}-", str(corpus), str(work / "seeds")]
        judged = work / "judge"
        judged.mkdir()
        command = [sys.executable, "-m", "fuzz.engine", name, str(judged), *options]
        with subprocess.Popen(  # noqa: S603  # ourselves
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as fuzzer:
            assert fuzzer.stdout is not None
            last_words = _listen(fuzzer.stdout, log, figures, directory, judged / ENDINGS)
    if fuzzer.returncode:
        sys.stderr.write(last_words)
        if not figures.crashes:
            raise FuzzError(f"the fuzzer ended with status {fuzzer.returncode}; {log.name} says why.")
    return figures


def _options(target: Target, work: Path, seconds: int) -> list[str]:
    """libFuzzer's; the seeds and the dictionary are written to the directory."""
    seeds, words = work / "seeds", work / "words"
    seeds.mkdir()
    for number, seed in enumerate(target.all_seeds()):
        (seeds / str(number)).write_bytes(seed)
    lines = ("".join(f"\\x{byte:02x}" for byte in word) for word in target.words)
    words.write_text("".join(f'"{line}"\n' for line in lines), encoding="ascii")
    return [
        f"-max_total_time={seconds}",
        f"-max_len={target.longest}",
        f"-dict={words}",
        f"-timeout={_SLOWEST}",
        "-mutate_depth=3",
        "-print_final_stats=1",
    ]


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
