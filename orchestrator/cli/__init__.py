"""The command line: ``orchestrator`` and its commands."""

from __future__ import annotations

import typer

from orchestrator.cli import customer, doctor, migrate, products, purchases, serve, users

app = typer.Typer(
    name="orchestrator",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Take SEQR Instant Checkout orders from the QR code to the stock.\n\n"
    "Try it: 'orchestrator demo'. In production: set ORCHESTRATOR_* variables (docs/operations.md), then "
    "'orchestrator migrate', 'orchestrator doctor' and 'orchestrator serve'.",
)
app.command()(serve.demo)
app.command()(serve.serve)
app.command()(migrate.migrate)
app.command()(doctor.doctor)
app.add_typer(purchases.app, name="purchases")
app.add_typer(products.app, name="products")
app.add_typer(customer.app, name="customer")
app.add_typer(users.app, name="users")
app.command()(serve.sandbox)


def main() -> None:
    """The console script."""
    app()
