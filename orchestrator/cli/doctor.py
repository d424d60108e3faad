"""``orchestrator doctor``: is everything as it has to be, and what to do about what is not?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from orchestrator import settings
from orchestrator.cli.run import working
from orchestrator.doctor import Finding, Health, examine
from orchestrator.settings import SettingsError

_COLOURS = {Health.OK: typer.colors.GREEN, Health.WARN: typer.colors.YELLOW, Health.FAIL: typer.colors.RED}
_NAMES_WIDTH = 14


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check settings, database, migrations, journal, WSDL, SEQR, mail server, public address and clock.

    Changes nothing anywhere. Each finding that is not ok comes with a remedy. Ends with 1 if anything fails;
    a warning is no failure.
    """
    with working("Looking at everything"):
        findings = asyncio.run(_examined())
    if as_json:
        typer.echo(json.dumps([asdict(found) for found in findings], indent=2))
    else:
        _print(findings)
    if any(found.health is Health.FAIL for found in findings):
        raise typer.Exit(1)


async def _examined() -> list[Finding]:
    """All findings; where the settings themselves are wrong, that is the only one that can be had."""
    try:
        found = settings.load()
    except SettingsError as error:
        remedy = "Correct it; then the other checks can run. See docs/operations.md."
        return [Finding(Health.FAIL, error.message, remedy, name="settings")]
    return await examine(found)


def _print(findings: Sequence[Finding]) -> None:
    for found in findings:
        health = typer.style(f"{found.health.value:<5}", fg=_COLOURS[found.health], bold=True)
        typer.echo(f"{health} {found.name:<{_NAMES_WIDTH}}  {found.sentence}")
        if found.health is not Health.OK:
            typer.echo(f"{'':{_NAMES_WIDTH + 8}}-> {found.remedy}")
    counts = {health: sum(found.health is health for found in findings) for health in Health}
    typer.echo(f"\n{counts[Health.OK]} ok, {counts[Health.WARN]} to look at, {counts[Health.FAIL]} failed.")
