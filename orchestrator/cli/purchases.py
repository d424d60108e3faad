"""``orchestrator purchases``: look at purchases, and do what an operator may do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import groupby
from typing import Annotated

import typer
from sqlalchemy import Connection

from orchestrator import logs, migration, purchase_queries, settings
from orchestrator.cli.run import ACTOR, CommandFailed, reporting, with_database, working
from orchestrator.cli.table import plain, table
from orchestrator.purchase_queries import (
    ExchangeRecord,
    PurchasePage,
    PurchaseRecord,
    TransitionRecord,
)
from orchestrator.selection import Filter
from statemachine import Action, NotAllowed, State

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="List and show purchases; retry or cancel one."
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The purchase's id, as 'list' shows it.")]
_HEADER = ("ID", "CREATED (UTC)", "STATE", "AMOUNT", "TITLE", "CUSTOMER", "NOTE")
_TIME = "%Y-%m-%d %H:%M:%S"


@app.command("list")
@reporting
def list_some(
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    q: Annotated[
        str, typer.Option("--q", help="Search ids, references, names, mail addresses, phones and products.")
    ] = "",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=10_000)] = 50,
) -> None:
    """Show the newest purchases, one a line."""
    wanted = Filter(states=(state.value,) if state else (), q=q.strip())
    page: PurchasePage = with_database(lambda database: database.read(purchase_queries.page, wanted, limit))
    if not page.items:
        typer.echo("There are no such purchases.")
        return
    typer.echo(table(_HEADER, [_row(record) for record in page.items], right=("AMOUNT",)))
    if page.last_id is not None:
        typer.echo(f"There are more; --limit {2 * limit} shows some of them.", err=True)


@app.command("show")
@reporting
def show(purchase_id: Id) -> None:
    """Show one purchase: whose it is, what happened to it, what was said to SEQR."""
    record, moves, calls = with_database(lambda database: database.read(_whole, purchase_id))
    typer.echo("\n".join(f"{name:<18} {plain(value)}" for name, value in _facts(record)))
    typer.echo("\nWhat happened")
    for move in moves:
        way = move.target if move.source in (None, move.target) else f"{move.source} -> {move.target}"
        typer.echo(f"  {move.at:{_TIME}}  {way:<22} {plain(move.detail)} ({plain(move.actor)})")
    typer.echo("\nCalls to SEQR")
    for line in _calls(calls):
        typer.echo(line)


@app.command("retry")
@reporting
def retry(purchase_id: Id) -> None:
    """Try again: send the invoice, ask SEQR, take the stock, or begin anew; whichever its state needs."""
    _act(purchase_id, Action.RETRY)


@app.command("cancel")
@reporting
def cancel(purchase_id: Id) -> None:
    """Cancel an unpaid purchase, and its invoice at SEQR. If SEQR says that it is paid, it becomes paid."""
    _act(purchase_id, Action.CANCEL)


def _act(purchase_id: str, action: Action) -> None:
    with working(f"{action.value} {purchase_id}"):
        record = asyncio.run(_acted(purchase_id, action))
    reason = f" ({record.reason})" if record.reason else ""
    typer.echo(f"{record.id} is {record.state}{reason} now.")
    if record.attention:
        typer.echo(f"It waits for somebody: {plain(record.attention)}")


async def _acted(purchase_id: str, action: Action) -> PurchaseRecord:
    from orchestrator.app import make_parts

    found = settings.load()
    parts = make_parts(found)
    # What it does is told below; only what goes wrong on the way is worth a line of log.
    logs.configure(found.model_copy(update={"log_level": "warning"}), parts.secret)
    try:
        await migration.check(parts.database)
        await parts.settlement.act(purchase_id, action, ACTOR)
        return await parts.database.read(purchase_queries.find, purchase_id)
    except NotAllowed as error:
        raise CommandFailed(error.why) from error
    finally:
        await parts.settlement.close()
        await parts.seqr.close()
        await parts.database.close()


def _whole(
    connection: Connection, purchase_id: str
) -> tuple[PurchaseRecord, list[TransitionRecord], list[ExchangeRecord]]:
    return (
        purchase_queries.find(connection, purchase_id),
        purchase_queries.transitions(connection, purchase_id),
        purchase_queries.exchanges_of(connection, purchase_id),
    )


def _calls(calls: list[ExchangeRecord]) -> Iterator[str]:
    """One line a call; of equal calls in a row the first, and how often until when."""
    for _, some in groupby(
        calls, key=lambda call: (call.operation, call.outcome, call.result_code, call.detail)
    ):
        alike = list(some)
        first, last = alike[0], alike[-1]
        again = f" ({len(alike)} times until {last.at:{_TIME}})" if len(alike) > 1 else ""
        said = f"{first.operation:<18} {first.duration_ms:6.0f} ms"
        yield f"  {first.at:{_TIME}}  {said}  {plain(first.detail)}{again}"


def _row(record: PurchaseRecord) -> tuple[str, ...]:
    note = record.reason or ""
    return (
        record.id,
        f"{record.created_at:{_TIME}}",
        record.state,
        f"{record.amount.value} {record.amount.currency}",
        plain(record.title),
        plain(record.customer.name),
        f"{note} !".strip() if record.attention else note,
    )


def _facts(record: PurchaseRecord) -> list[tuple[str, str]]:
    customer = record.customer
    town = " ".join(filter(None, (customer.zip, customer.city, customer.state, customer.country)))
    facts = [
        ("id", record.id),
        ("state", record.state),
        ("reason", record.reason),
        ("attention", record.attention),
        ("product", f"{record.title} ({record.purchase_token})"),
        ("amount", f"{record.amount.value} {record.amount.currency}"),
        ("invoice reference", record.invoice_reference),
        ("ERS reference", record.ers_reference),
        ("customer", customer.name),
        ("address", f"{customer.street}, {town}"),
        ("mail, phone", f"{customer.email} {customer.msisdn}".strip()),
        ("created (UTC)", f"{record.created_at:{_TIME}}"),
        ("updated (UTC)", f"{record.updated_at:{_TIME}}"),
    ]
    return [(name, value) for name, value in facts if value]
