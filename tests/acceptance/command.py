"""``python -m orchestrator`` as a person or a supervisor starts it: real processes in their own folder."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.fixtures.sandbox import ROOT
from tests.fixtures.shop import until

_LONGEST = 60.0
_STARTED_BY_OTHERS = re.compile(r"ORCHESTRATOR_|COVERAGE|COV_")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


class Command:
    """A command that runs. What it says goes into files, so that it never waits for a reader."""

    def __init__(self, process: asyncio.subprocess.Process, out: Path, err: Path) -> None:
        self._process = process
        self._out = out
        self._err = err

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def said(self) -> str:
        """All that it has said so far."""
        return self._out.read_text() + self._err.read_text()

    async def until_it_says(self, pattern: str) -> str:
        """Wait for words that match; returns the first group of the match."""

        async def heard() -> bool:
            assert self._process.returncode is None, self.said
            return re.search(pattern, self.said) is not None

        await until(heard, _LONGEST)
        found = re.search(pattern, self.said)
        assert found is not None
        return found.group(1)

    async def end(self) -> Ended:
        """Wait for its end."""
        async with asyncio.timeout(_LONGEST):
            code = await self._process.wait()
        return Ended(code, self._out.read_text(), self._err.read_text())

    async def terminate(self) -> Ended:
        """Ask it to stop, as a supervisor does, and wait until it has."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        return await self.end()


class Terminal:
    """Types commands in ``home`` with these settings, given as ``poll_interval`` and the like."""

    def __init__(self, home: Path, settings: Mapping[str, object]) -> None:
        self.settings = dict(settings)
        self._home = home
        self._commands: list[Command] = []
        self._numbers = count(1)

    async def start(self, *arguments: str, typed: str = "") -> Command:
        """Start a command; ``typed`` comes on its standard input."""
        number = next(self._numbers)
        out, err, keys = (self._home / f"{number}.{name}" for name in ("out", "err", "in"))
        keys.write_text(typed)
        with keys.open() as reads, out.open("w") as writes, err.open("w") as complains:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "orchestrator", *arguments),
                stdin=reads,
                stdout=writes,
                stderr=complains,
                cwd=self._home,
                env=self._environment(),
            )
        command = Command(process, out, err)
        self._commands.append(command)
        return command

    async def run(self, *arguments: str, typed: str = "") -> Ended:
        """Start a command and wait for its end."""
        return await (await self.start(*arguments, typed=typed)).end()

    async def close(self) -> str:
        """Stop what still runs; returns all that was said by anything."""
        await asyncio.gather(*(command.terminate() for command in self._commands))
        return "".join(command.said for command in self._commands)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not _STARTED_BY_OTHERS.match(name)}
        ours = {f"ORCHESTRATOR_{name.upper()}": str(value) for name, value in self.settings.items()}
        return kept | ours | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
