"""What can be fuzzed: a door, valid things to begin with, and a judge of whatever comes in by it.

Nothing here needs the fuzzer: a judge is a function over bytes, which the tests call, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random

NAMES = ("create_purchase", "soap_answer", "csv_import")

Judge = Callable[[bytes], str]
"""Lets the bytes in and says in a word or two how that ended, to be counted. AssertionError: the door is
broken. Whatever else it raises is what the door let through."""


Change = Callable[[bytes], bytes]
"""Changes some bytes anywhere, as the fuzzer likes."""


Vary = Callable[[bytes, Change, Random], bytes]
"""Makes an input into another one: where a byte that changes would make nonsense of it all, it applies the
change to a part that can bear it."""


def within(*patterns: re.Pattern[bytes], anew: Sequence[bytes]) -> Vary:
    """Mostly change, double or drop one thing that looks like one of the patterns; else change anything.

    Now and then begin ``anew`` with one of those: from nonsense no change leads back to sense.
    """

    def vary(data: bytes, change: Change, random: Random) -> bytes:
        if random.random() < 0.25:
            data = random.choice(anew)
        found = list(random.choice(patterns).finditer(data))
        if not found or random.random() < 0.15:
            return change(data)
        start, end = random.choice(found).span()
        way, part = random.random(), data[start:end]
        other = change(part) if way < 0.7 else part * 2 if way < 0.85 else b""
        return data[:start] + other + data[end:]

    return vary


@dataclass(frozen=True, slots=True)
class Target:
    """A door. ``open`` takes an empty directory; ``seeds`` are by the word with which each must end."""

    open: Callable[[Path], AbstractContextManager[Judge]]
    seeds: Mapping[str, tuple[bytes, ...]]
    words: tuple[bytes, ...]
    """What means something at this door: the fuzzer puts it in."""
    longest: int
    """Bytes of an input."""
    vary: Vary

    def all_seeds(self) -> list[bytes]:
        return [seed for seeds in self.seeds.values() for seed in seeds]


def load(name: str) -> Target:
    """One of ``NAMES``. Imports it only now: the fuzzer watches what is imported under its eyes."""
    target = import_module(f"fuzz.{name}").TARGET
    assert isinstance(target, Target)
    return target
