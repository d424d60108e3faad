"""``make fuzz``: throw bytes at the doors where others' bytes come in, led by what of our code they reach.

``SECONDS`` says how long each target is fuzzed, ``TARGET`` chooses one; ``INPUT`` lets one file in alone and
says how that ends. The figures go to ``var/fuzz``; what was learnt lies in ``var/fuzz/corpus``, from where a
later run goes on.
"""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

from fuzz.figures import Figures, table
from fuzz.run import FuzzError, run, workplace
from fuzz.target import NAMES, load

DIRECTORY = Path("var") / "fuzz"


def main() -> int:
    """Returns the exit status: 0 nothing broke, 1 something did, or cannot be fuzzed."""
    given = _arguments()
    if given.input is not None:
        return _let_in(given.target, given.input)
    if find_spec("atheris") is None:
        print("fuzz: there is no atheris here. make fuzz installs it, on Linux on x86-64.", file=sys.stderr)
        return 1
    runs: list[Figures] = []
    for name in NAMES if given.target is None else [given.target]:
        try:
            runs.append(run(name, given.seconds, DIRECTORY))
        except FuzzError as error:
            print(f"fuzz: {name}: {error}", file=sys.stderr)
            return 1
    print(table(runs))
    crashes = [(figures.target, crash) for figures in runs for crash in figures.crashes]
    for name, crash in crashes:
        print(f"fuzz: {name} broke. Again: make fuzz TARGET={name} INPUT={crash}", file=sys.stderr)
    return 1 if crashes else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="how long each (default: %(default)s)")
    parser.add_argument("--target", choices=NAMES, help="which (default: each in turn)")
    parser.add_argument("--input", type=Path, metavar="FILE", help="let this in alone; needs --target")
    given = parser.parse_args()
    if given.input is not None and given.target is None:
        parser.error("INPUT needs TARGET: by which door shall it come in?")
    return given


def _let_in(name: str, file: Path) -> int:
    """Whatever breaks tells so by its traceback, and by the exit status that goes with it."""
    try:
        data = file.read_bytes()
    except OSError as error:
        print(f"fuzz: {file} cannot be read: {error.strerror}.", file=sys.stderr)
        return 1
    with workplace() as work, load(name).open(work) as judge:
        print(f"{name} holds: {judge(data)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
