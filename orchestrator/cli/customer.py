"""``orchestrator customer``: what is kept of one customer, and erasing it on their request."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from orchestrator import customer, dossier, settings
from orchestrator.cli.run import ACTOR, CommandFailed, reporting, with_database
from orchestrator.cli.table import plain, table
from orchestrator.customer import Hindrance, Holding, Holdings, Wanted
from orchestrator.dossier import NobodyKnown
from orchestrator.identity import now
from orchestrator.stamp import Stamp

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Export or erase what is kept of one customer, on their request (docs/privacy.md).",
)

Phone = Annotated[
    str,
    typer.Option(help="Purchases of this phone number, however its digits are grouped: +46 70 123 45 67."),
]
Email = Annotated[str, typer.Option(help="Purchases of this mail address, in upper or lower case.")]

_EPILOG = (
    "With both options the purchases of either are meant: look with 'erase --dry-run' whose they are. "
    "Who did it and when stands in the audit log, but not whom it was about."
)
_HEADER = ("ID", "CREATED (UTC)", "STATE", "AMOUNT", "TITLE", "CUSTOMER", "CAN BE ERASED")
_HINDRANCES = {
    Hindrance.OPEN: "not finished yet",
    Hindrance.ATTENTION: "needs attention",
    Hindrance.ASKED: "SEQR is still asked about it",
    Hindrance.MAIL: "a mail has not gone out yet",
}


@app.command("export", epilog=_EPILOG)
@reporting
def export(
    phone: Phone = "",
    email: Email = "",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE.json", help="Write here, not to the screen."),
    ] = None,
) -> None:
    """Write all that is kept of a customer as JSON: purchases, their history, mails, SEQR's answers."""
    wanted, shop = Wanted(phone, email), settings.load().shop_name
    found = with_database(lambda database: database.write(dossier.export, wanted, shop, _stamp()))
    text = json.dumps(found, ensure_ascii=False, indent=2) + "\n"
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.touch(mode=0o600)
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{output} cannot be written: {error.strerror}.") from error


@app.command("erase", epilog=_EPILOG)
@reporting
def erase(
    phone: Phone = "",
    email: Email = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be erased.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; scripts have to say so.")] = False,
) -> None:
    """Erase a customer from all finished purchases: name, address, mail, phone, and the mails that were sent.

    What was bought and paid stays. It cannot be undone. A purchase that is not finished, or that waits for
    somebody, keeps its customer: the exit status is 1 then, and the command has to be repeated later.
    """
    wanted = Wanted(phone, email)
    found = with_database(lambda database: database.read(customer.read, wanted))
    if not found.number:
        raise NobodyKnown
    typer.echo(
        table(_HEADER, [_row(holding) for holding in (*found.erasable, *found.left)], right=("AMOUNT",))
    )
    _warn(found)
    if dry_run:
        typer.echo(
            f"Would erase the customer of {_purchases(len(found.erasable))}; {len(found.left)} would stay."
        )
        return
    if found.erasable:
        _confirm(found, yes=yes)
        seen = found.fingerprint
        with_database(lambda database: database.write(customer.erase, wanted, _stamp(), "", seen))
        typer.echo(f"Erased the customer of {_purchases(len(found.erasable))}.")
    if found.left:
        raise CommandFailed(_why_left(found))


def _confirm(found: Holdings, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandFailed("Nothing was erased: say --yes, since there is nobody to ask here.")
    question = f"Erase the customer of {_purchases(len(found.erasable))}? It cannot be undone"
    if not typer.confirm(question, err=True):
        raise CommandFailed("Nothing was erased.")


def _warn(found: Holdings) -> None:
    if len(found.names) > 1:
        typer.echo(f"They have {len(found.names)} different names: is it one customer?", err=True)
    if found.mentions:
        words = "note or reason seems" if found.mentions == 1 else "notes or reasons seem"
        typer.echo(
            f"{found.mentions} {words} to name the customer; nobody can change what it says.", err=True
        )


def _why_left(found: Holdings) -> str:
    first = found.left[0]
    return (
        f"{_purchases(len(found.left))} could not be erased: {first.id} is {first.state}, "
        f"{_HINDRANCES[first.hindrance or Hindrance.OPEN]}. Erase again when that is over."
    )


def _row(holding: Holding) -> tuple[str, ...]:
    return (
        holding.id,
        f"{holding.created_at:%Y-%m-%d %H:%M:%S}",
        holding.state,
        f"{holding.amount.value} {holding.amount.currency}",
        plain(holding.title),
        plain(f"{holding.name} {holding.email} {holding.msisdn}"),
        "yes" if holding.hindrance is None else f"no: {_HINDRANCES[holding.hindrance]}",
    )


def _purchases(number: int) -> str:
    return f"{number} purchase" if number == 1 else f"{number} purchases"


def _stamp() -> Stamp:
    return Stamp(ACTOR, now())
