"""Find a Chromium for the browser tests, or install one.

As a program it prints the browser's path and version and exits with 0, or says in one line why there is none
and exits with 1. The environment variable `CHROMIUM` names a browser that is used whatever else is there.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ADVICE = "install Chromium by hand, or name one with CHROMIUM=/path/to/chromium"


def find_browser() -> str | None:
    """The path of a Chromium: the one that `CHROMIUM` names, the system's, or Playwright's own."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    return next(filter(None, map(shutil.which, NAMES)), None) or playwright_browser()


def playwright_browser() -> str | None:
    """The path of the Chromium that Playwright downloaded earlier, if it did."""
    question = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as p: print(p.chromium.executable_path)"
    )
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=False)
    path = answer.stdout.strip()
    return path if path and Path(path).is_file() else None


def is_root() -> bool:
    return os.geteuid() == 0


def is_debian() -> bool:
    """Whether this is Debian itself. Its relatives may package a mere pointer to another store."""
    release = Path("/etc/os-release")
    return release.is_file() and "ID=debian" in release.read_text(encoding="utf-8").splitlines()


def install_with_apt() -> bool:
    """Install Debian's package. True when that worked."""
    if not (is_root() and is_debian()):
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    commands = (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-qq", "--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
    )
    return all(quietly(command, environment) for command in commands)


def install_with_playwright() -> bool:
    """Let Playwright download its own build, with the libraries that it needs where we may install them."""
    needs = ["--with-deps"] if is_root() and shutil.which("apt-get") else []
    return quietly([sys.executable, "-m", "playwright", "install", *needs, "chromium"], dict(os.environ))


def quietly(command: list[str], environment: dict[str, str]) -> bool:
    """Run a command; show what it wrote only when it fails."""
    print(f"  {' '.join(command)}", flush=True)
    result = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if result.returncode != 0:
        sys.stderr.write(result.stdout.decode(errors="replace"))
    return result.returncode == 0


def version(browser: str) -> str | None:
    """What the browser says of itself, or None when it does not start."""
    result = subprocess.run([browser, "--version"], capture_output=True, text=True, timeout=60, check=False)
    return result.stdout.strip() if result.returncode == 0 else None


def main() -> int:
    browser = find_browser()
    if browser is None and not os.environ.get("CHROMIUM"):
        print("No Chromium found: installing one", flush=True)
        if install_with_apt() or install_with_playwright():
            browser = find_browser()
    if browser is None:
        print(f"No Chromium for the browser tests: {ADVICE}", file=sys.stderr)
        return 1
    answer = version(browser)
    if answer is None:
        print(f"{browser} does not start: {ADVICE}", file=sys.stderr)
        return 1
    print(f"Browser: {browser} ({answer})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
