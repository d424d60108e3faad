"""``orchestrator users``: who may sign in to the dashboard."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from orchestrator import users
from orchestrator.cli.run import CommandFailed, reporting, with_database
from orchestrator.cli.table import table
from orchestrator.identity import now
from orchestrator.users import Role

app = typer.Typer(no_args_is_help=True, help="Add users of the dashboard, change passwords, list users.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Up to 64 letters, digits, '.', '_', '@' and '-'.")]

_PASSWORD_HELP = (
    "The password is asked for twice on a terminal, or read as one line from standard input. It is never an "
    "argument, because anybody on this machine could read it. "
    f"It has at least {users.SHORTEST_PASSWORD} characters."
)


@app.command("add", epilog=_PASSWORD_HELP)
@reporting
def add(
    name: Name,
    role: Annotated[
        Role, typer.Option(help="viewer looks, operator acts on purchases and stock, admin does everything.")
    ] = Role.OPERATOR,
) -> None:
    """Add a user of the dashboard."""
    users.checked_name(name)
    password = new_password()
    user = with_database(lambda database: database.write(users.add, name, password, role, now()))
    typer.echo(f"{user.name} may sign in now, as {user.role}.")


@app.command("passwd", epilog=_PASSWORD_HELP)
@reporting
def passwd(name: Name) -> None:
    """Give a user another password."""
    password = new_password()
    with_database(lambda database: database.write(users.set_password, name, password))
    typer.echo(f"{name} has a new password.")


@app.command("list")
@reporting
def list_all() -> None:
    """Show all users and what they may do."""
    found = with_database(lambda database: database.read(users.list_users))
    if not found:
        typer.echo("There are no users yet. Type: orchestrator users add NAME")
        return
    rows = [(user.name, user.role.value, f"{user.created_at:%Y-%m-%d %H:%M}Z") for user in found]
    typer.echo(table(("NAME", "ROLE", "ADDED"), rows))


def new_password() -> str:
    """Ask for a password, or read it from a pipe. Raises UserError, or CommandFailed when there is none."""
    if sys.stdin.isatty():
        password = str(typer.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True))
    else:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise CommandFailed("No password came on standard input. Send one line with it.")
    return users.checked_password(password)
