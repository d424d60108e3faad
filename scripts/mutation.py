"""What mutmut found: a table by file, figures in ``var/mutation``, and a failure when too much survives.

A mutant that mypy refuses never reaches a test, so the share that is demanded is of the others: those that
only a test can tell from the code as it is.
"""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

FIGURES = Path("var/mutation/figures.json")
DEMANDED = 90.0
"""Percent of the mutants that types let through."""

_FATES = {"killed": "killed", "caught by type check": "refused", "timeout": "timed_out"}
"""By mutmut's word for them. Whatever else befalls a mutant, no test has killed it."""
_UNJUDGED = {"not checked", "check was interrupted by user"}


class UnfinishedError(Exception):
    """Some mutants have not been judged. The message says how many."""


@dataclass(frozen=True)
class Fates:
    """What became of the mutants of one file, or of all."""

    mutants: int
    refused: int
    killed: int
    timed_out: int
    survived: int

    @property
    def share(self) -> float:
        """Percent of what types let through that a test killed."""
        let_through = self.mutants - self.refused
        return 100 * self.killed / let_through if let_through else 100.0


def parse(results: str) -> dict[str, str]:
    """Each mutant with its fate, from the lines of ``mutmut results --all true``.

    Raises:
        UnfinishedError: some were not judged, or there are none.
    """
    words = dict(line.strip().rsplit(": ", 1) for line in results.splitlines() if ": " in line)
    unjudged = sum(word in _UNJUDGED for word in words.values())
    if unjudged or not words:
        raise UnfinishedError(f"{unjudged or 'All'} mutants are still to be judged: run make mutate again.")
    return {mutant: _FATES.get(word, "survived") for mutant, word in words.items()}


def by_file(fates: dict[str, str]) -> dict[str, Fates]:
    """The same, counted for each file."""
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for mutant, fate in fates.items():
        counted[mutant.rpartition(".")[0].replace(".", "/") + ".py"][fate] += 1
    return {file: _count(fate) for file, fate in sorted(counted.items())}


def _count(fate: Counter[str]) -> Fates:
    return Fates(fate.total(), fate["refused"], fate["killed"], fate["timed_out"], fate["survived"])


def table(files: dict[str, Fates], everything: Fates) -> Iterable[str]:
    """The figures in columns, one line for each file."""
    width = max(map(len, files))
    yield f"{'':{width}}  mutants  refused by types  killed by tests  timed out  survived  killed %"
    for name, fates in [*files.items(), ("all", everything)]:
        yield (
            f"{name:{width}}  {fates.mutants:7}  {fates.refused:16}  {fates.killed:15}"
            f"  {fates.timed_out:9}  {fates.survived:8}  {fates.share:8.1f}"
        )


def results() -> str:
    """What mutmut has written down about every mutant."""
    command = [str(Path(sys.executable).with_name("mutmut")), "results", "--all", "true"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def keep(fates: dict[str, str], files: dict[str, Fates], everything: Fates) -> None:
    """Write the figures and the survivors' names."""
    found = {
        "killed_percent": round(everything.share, 1),
        "all": asdict(everything),
        "files": {file: asdict(counted) for file, counted in files.items()},
        "survived": [mutant for mutant, fate in fates.items() if fate == "survived"],
    }
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    try:
        fates = parse(results())
    except UnfinishedError as error:
        print(error, file=sys.stderr)
        return 1
    files, everything = by_file(fates), _count(Counter(fates.values()))
    keep(fates, files, everything)
    print("\n".join(table(files, everything)))
    print(f"Figures and survivors are in {FIGURES}; .venv/bin/mutmut show NAME shows one.")
    if everything.share < DEMANDED:
        print(
            f"Tests killed {everything.share:.1f} % of the mutants; {DEMANDED:g} % is demanded.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
