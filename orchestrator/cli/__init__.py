"""The command line: ``orchestrator`` and its commands."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from orchestrator.lasting import lasting

COMMANDS = {
    "demo": (
        "serve",
        "Try everything in one process: orchestrator, dashboard, a demo shop, and SEQR played by a sandbox.",
    ),
    "serve": ("serve", "Serve the REST endpoints, the dashboard and the reconciler."),
    "migrate": ("migrate", "Make or change the database's tables for this version."),
    "doctor": (
        "doctor",
        "Check settings, database, migrations, journal, WSDL, SEQR, mail server, public address and clock.",
    ),
    "purchases": ("purchases", "List and show purchases; retry or cancel one."),
    "products": ("products", "Import, export and list the products that are sold."),
    "customer": (
        "customer",
        "Export or erase what is kept of one customer, on their request (docs/privacy.md).",
    ),
    "users": (
        "users",
        "Add, list and remove users of the dashboard, change passwords and roles, end a lock-out.",
    ),
    "sandbox": ("serve", "Play SEQR alone: SOAP service, Instant Checkout service, and a phone to pay with."),
}
"""Each command's module here, which has it under its name or its commands under ``app``, and what is told of
it in the list of all."""


class Commands(TyperGroup):
    """Loads a command when it is called: neither listing them all nor calling another waits for it."""

    def __init__(self, **options: Any) -> None:
        told = {name: TyperCommand(name, help=summary) for name, (_, summary) in COMMANDS.items()}
        super().__init__(**options | {"commands": told})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(str(name)), rest


def load(name: str) -> Any:
    """The command of this name, ready to be called."""
    with lasting():
        module = import_module(f"orchestrator.cli.{COMMANDS[name][0]}")
    found = getattr(module, "app", None)
    if found is None:
        found = typer.Typer(add_completion=False)
        found.command()(getattr(module, name))
    return typer.main.get_command(found)


app = typer.Typer(
    name="orchestrator",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Take SEQR Instant Checkout orders from the QR code to the stock.\n\n"
    "Try it: 'orchestrator demo'. In production: set ORCHESTRATOR_* variables (docs/operations.md), then "
    "'orchestrator migrate', 'orchestrator doctor' and 'orchestrator serve'.",
)


@app.callback()
def _before_any() -> None: ...


def main() -> None:
    """The console script."""
    app()
