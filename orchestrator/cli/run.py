"""Running a command: settings, an open database, and one clear line when it fails.

Exit status: 0 done, 1 failed, 2 wrong use (which typer sees to).
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console

from orchestrator import logs, migration, settings
from orchestrator.database import Database, open_database
from orchestrator.errors import OrchestratorError

P = ParamSpec("P")
T = TypeVar("T")

ACTOR = "cli"
"""Who did it, in the journal and on stock movements."""


class CommandFailed(OrchestratorError):
    """The command could not do what was asked."""

    code = "command_failed"


def reporting(command: Callable[P, T]) -> Callable[P, T]:
    """A command whose errors become one line on standard error and exit status 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except OrchestratorError as error:
            fail(error.message)

    return run


def fail(message: str) -> NoReturn:
    """End with ``message`` on standard error and exit status 1."""
    typer.echo(f"orchestrator: {' '.join(message.split())}", err=True)
    raise typer.Exit(1)


def with_database(command: Callable[[Database], Awaitable[T]]) -> T:
    """Run ``command`` on the database of the settings, which is closed afterwards.

    Raises:
        SettingsError: a setting is wrong.
        Unmigrated: type 'orchestrator migrate' first.
    """
    found = settings.load()
    logs.configure(found.model_copy(update={"log_level": "warning"}))
    return asyncio.run(_on_database(found.database, command))


async def _on_database(url: str, command: Callable[[Database], Awaitable[T]]) -> T:
    database = open_database(url)
    try:
        await migration.check(database)
        return await command(database)
    finally:
        await database.close()


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal that something is being done; elsewhere say nothing."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(what):
        yield
