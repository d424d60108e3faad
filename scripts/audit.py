"""Fail when a locked package has a known vulnerability.

Asks the OSV database about what the locks pin, for Python and for the browser. When the database cannot be
reached this says so and fails nothing: a machine without that network can still build. What was looked at and
does not concern us stands in ``ACCEPTED``, with the reason.
"""

import json
import os
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "https://api.osv.dev/v1/querybatch"
LOCKS = tuple(sorted(path.name for path in ROOT.glob("requirements*.lock")))
ACCEPTED: dict[str, str] = {}
"""By the vulnerability's id: why it does not concern us."""

Package = tuple[str, str, str]
"""Ecosystem, name, version."""

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)
_SECONDS = 20


class UnreachableError(Exception):
    """The database gives no answer that can be read."""


def python_packages(lock: str) -> set[Package]:
    """What a requirements lock pins."""
    return {("PyPI", name.lower(), version) for name, version in _PIN.findall(lock)}


def node_packages(lock: str) -> set[Package]:
    """What package-lock.json pins."""
    found = json.loads(lock).get("packages", {})
    return {
        ("npm", path.rpartition("node_modules/")[2], about["version"])
        for path, about in found.items()
        if path and "version" in about
    }


def locked() -> list[Package]:
    """Every package that a lock pins."""
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in LOCKS]
    node = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    return sorted(set.union(*map(python_packages, texts), node_packages(node)))


def vulnerabilities(packages: list[Package], database: str) -> list[tuple[Package, str]]:
    """Each package with each known vulnerability's id. Raises UnreachableError."""
    queries = [
        {"package": {"ecosystem": ecosystem, "name": name}, "version": version}
        for ecosystem, name, version in packages
    ]
    request = urllib.request.Request(
        database, json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            results = json.load(answer)["results"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreachableError(str(error) or type(error).__name__) from error
    if len(results) != len(packages):
        raise UnreachableError("it answered about other packages")
    return [
        (package, found["id"])
        for package, result in zip(packages, results, strict=True)
        for found in (result or {}).get("vulns") or ()
    ]


def main() -> int:
    packages = locked()
    try:
        found = vulnerabilities(packages, os.environ.get("AUDIT_DATABASE", DATABASE))
    except UnreachableError as error:
        print(f"Not audited: the vulnerability database cannot be reached ({error}).")
        return 0
    open_ones = [(package, name) for package, name in found if name not in ACCEPTED]
    for (_, name, version), vulnerability in open_ones:
        print(f"{name} {version}: {vulnerability}. Upgrade it with 'make lock UPGRADE=1', or accept it here.")
    if not open_ones:
        print(f"None of {len(packages)} locked packages has a known vulnerability")
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main())
