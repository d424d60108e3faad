"""The fuzzer itself, in a process of its own: libFuzzer ends that when its time is over, or a judge broke.

``python -m fuzz.engine TARGET DIRECTORY OPTION...``: the directory is for what need not last, with a file in
it that counts how inputs ended; the options are libFuzzer's.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random

import atheris

OURS = ["orchestrator", "statemachine"]
"""Only in these the fuzzer counts what is reached: others would slow it down and lead it astray."""
_WRITE_EVERY = 2.0

with atheris.instrument_imports(include=OURS):
    from fuzz.run import ENDINGS
    from fuzz.target import Judge, Target, load

    TARGET = load(sys.argv[1])


def counting(judge: Judge, file: Path) -> Judge:
    """The judge; how its inputs ended is written to a file now and then, as at the end nobody is asked."""
    endings: Counter[str] = Counter()
    write_at = 0.0

    def judge_and_count(data: bytes) -> str:
        nonlocal write_at
        ending = judge(data)
        endings[ending] += 1
        if (at := time.monotonic()) > write_at:
            file.write_text(json.dumps(endings), encoding="utf-8")
            write_at = at + _WRITE_EVERY
        return ending

    return judge_and_count


def _changed(longest: int, data: bytes) -> bytes:
    return bytes(atheris.Mutate(data, longest))


def _options(target: Target, directory: Path) -> list[str]:
    """What libFuzzer needs to know of the target; seeds and dictionary are written to the directory."""
    seeds, words = directory / "seeds", directory / "words"
    seeds.mkdir()
    for number, seed in enumerate(target.all_seeds()):
        (seeds / str(number)).write_bytes(seed)
    lines = ("".join(f"\\x{byte:02x}" for byte in word) for word in target.words)
    words.write_text("".join(f'"{line}"\n' for line in lines), encoding="ascii")
    return [f"-max_len={target.longest}", f"-dict={words}", str(seeds)]


def main() -> None:
    """Never returns."""
    directory = Path(sys.argv[2])
    place = directory / "judge"
    place.mkdir()
    options = [*sys.argv[3:], *_options(TARGET, directory)]
    with TARGET.open(place) as judge:
        judge_and_count = counting(judge, directory / ENDINGS)

        def test_one_input(data: bytes) -> None:
            judge_and_count(data)

        def vary(data: bytes, longest: int, seed: int) -> bytes:
            change = partial(_changed, longest)
            return TARGET.vary(data, change, Random(seed))[:longest]

        atheris.Setup([sys.argv[0], *options], test_one_input, custom_mutator=vary)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
