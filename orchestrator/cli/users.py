"""``orchestrator users``: who may sign in to the dashboard."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from sqlalchemy import Connection

from orchestrator import audit, lockout, password, users
from orchestrator.cli.run import ACTOR, CommandFailed, reporting, with_database
from orchestrator.cli.table import table
from orchestrator.database import Database
from orchestrator.identity import now
from orchestrator.password import PasswordHash
from orchestrator.stamp import Stamp
from orchestrator.users import Role, User, UserUnknown

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Add, list and remove users of the dashboard, change passwords and roles, end a lock-out.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Up to 64 letters, digits, '.', '_', '@' and '-'.")]

_PASSWORD_HELP = (
    "The password is asked for twice on a terminal, or read as one line from standard input. It is never an "
    "argument, because anybody on this machine could read it. "
    f"It has at least {password.SHORTEST} characters."
)
_ROLE_HELP = (
    "viewer looks, operator acts on purchases and stock, admin changes users, tokens and settings too."
)


@app.command("add", epilog=_PASSWORD_HELP)
@reporting
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help=_ROLE_HELP)] = Role.OPERATOR,
) -> None:
    """Add a user of the dashboard."""
    users.checked_name(name)
    secret = new_password()

    async def work(database: Database) -> User:
        kept = await password.hashed(secret)
        return await database.write(users.add, name, kept, role, _stamp())

    user = with_database(work)
    typer.echo(f"{user.name} may sign in now, as {user.role}.")


@app.command("passwd", epilog=_PASSWORD_HELP)
@reporting
def passwd(name: Name) -> None:
    """Give a user another password; who is signed in under that name is signed out, and a lock-out ends."""
    secret = new_password()

    async def work(database: Database) -> None:
        kept: PasswordHash = await password.hashed(secret)
        await database.write(users.set_password, name, kept, _stamp())

    with_database(work)
    typer.echo(f"{name} has a new password.")


@app.command("role")
@reporting
def change_role(name: Name, role: Annotated[Role, typer.Argument(help=_ROLE_HELP)]) -> None:
    """Give a user another role; who is signed in under that name is signed out."""
    changed = with_database(lambda database: database.write(users.set_role, name, role, _stamp()))
    typer.echo(f"{name} is {role.value} now." if changed else f"{name} was {role.value} already.")


@app.command("remove")
@reporting
def remove(name: Name) -> None:
    """Remove a user, who is signed out everywhere. What was done under the name stays in the records."""
    with_database(lambda database: database.write(users.remove, name, _stamp()))
    typer.echo(f"{name} is removed.")


@app.command("unlock")
@reporting
def unlock(name: Name) -> None:
    """Let a user try again who has got the password wrong too often."""
    failures = with_database(lambda database: database.write(_unlock, name))
    typer.echo(f"{name} may try again." if failures else f"{name} was not locked out.")


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
    """Ask for a password, or read it from a pipe.

    Raises PasswordError, or CommandFailed when there is none.
    """
    if sys.stdin.isatty():
        secret = str(typer.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True))
    else:
        secret = sys.stdin.readline().rstrip("\r\n")
        if not secret:
            raise CommandFailed("No password came on standard input. Send one line with it.")
    return password.checked(secret)


def _stamp() -> Stamp:
    return Stamp(ACTOR, now())


def _unlock(connection: Connection, name: str) -> int:
    if users.find(connection, name) is None:
        raise UserUnknown(f"There is no user {name}.")
    failures = lockout.forget(connection, name)
    if failures:
        audit.record(connection, _stamp(), "user.unlock", name)
    return failures
