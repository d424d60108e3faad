"""Fail when a tracked file names a package registry's host, or a path of the machine that it was written on.

Where packages come from is each machine's own setting, and a path of one machine is of no use on another.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REGISTRY_HOSTS = (
    r"pypi\.org",
    r"files\.pythonhosted\.org",
    r"registry\.npmjs\.(?:org|com)",
    r"registry\.yarnpkg\.com",
    r"(?:deb|security)\.debian\.org",
)


def tracked_files() -> list[Path]:
    """The files that Git knows. None where this is no Git checkout, as in an unpacked source archive."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        return []
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in answer.stdout.split("\0") if name and (ROOT / name).is_file()]


def machine_paths() -> list[str]:
    """Patterns of the checkout's and the person's own directory, where they stand as whole paths."""
    return [
        rf"(?<![\w.)}}]){re.escape(str(path))}(?![\w.-])" for path in {ROOT, Path.home()} if path != Path("/")
    ]


def findings(path: Path, forbidden: re.Pattern[str]) -> Iterator[str]:
    """One line for each place of a file that names what it should not."""
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        if match := forbidden.search(line):
            yield f"{path.relative_to(ROOT)}:{number}: names {match.group()}"


def main() -> int:
    forbidden = re.compile("|".join((*REGISTRY_HOSTS, *machine_paths())))
    found = [finding for path in tracked_files() for finding in findings(path, forbidden)]
    print("\n".join(found) if found else "No file names a registry or a path of this machine")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
