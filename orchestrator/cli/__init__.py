"""The command line: ``orchestrator`` and its commands."""

from __future__ import annotations

import typer

from orchestrator.cli import products, serve

app = typer.Typer(
    name="orchestrator",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Take SEQR Instant Checkout orders from the QR code to the stock.\n\n"
    "Try it: 'orchestrator demo'. In production: set ORCHESTRATOR_* variables (docs/operations.md), then "
    "'orchestrator migrate', 'orchestrator doctor' and 'orchestrator serve'.",
)
app.command()(serve.serve)
app.command()(serve.demo)
app.command()(serve.sandbox)
app.add_typer(products.app, name="products")


def main() -> None:
    """The console script."""
    app()
