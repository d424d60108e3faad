"""``orchestrator products``: the catalogue from and to a CSV file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from orchestrator import catalogue, catalogue_csv, shopkeeper
from orchestrator.catalogue_csv import Record, WrongFile
from orchestrator.catalogue_edit import Plan
from orchestrator.cli.run import ACTOR, CommandFailed, reporting, with_database, working
from orchestrator.cli.table import table
from orchestrator.database import Database
from orchestrator.product import Product

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Import, export and list the products that are sold."
)

_HEADER = ("TOKEN", "TITLE", "PRICE", "TAX %", "ON HAND", "RESERVED", "AVAILABLE", "FOR SALE")
_NUMBERS = ("PRICE", "TAX %", "ON HAND", "RESERVED", "AVAILABLE")


@app.command("import")
@reporting
def import_file(
    file: Annotated[str, typer.Argument(metavar="FILE.csv", help="The file to read; - for standard input.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be created and changed.")
    ] = False,
) -> None:
    """Create and change products from a CSV file: all of it, or nothing if anything is wrong.

    The file is UTF-8, with , or ; between the cells, and a header with these columns in any order:

    token      what the QR code names: 1 to 64 letters, digits, . _ -

    title      what the customer reads, up to 200 characters

    price      149.90 (with ; between the cells also 149,90)

    currency   SEK, or another ISO 4217 code

    tax_rate   in percent, included in the price: 25

    sku, ean   may be empty

    on_hand    pieces in stock; leave it empty to keep the stock as it is

    for_sale   yes, no, or empty to keep it as it is

    bundle     what a bundle contains, such as mug:2;spoon:1; empty for a plain product

    Products that the file does not name stay as they are. 'orchestrator products export' writes such a file.
    """
    data = _read(file)
    try:
        with working("Reading the file"):
            records = catalogue_csv.parse(data)
        with working(f"Comparing {len(records)} products with the catalogue"):
            plan = with_database(lambda database: (_plan if dry_run else _apply)(database, records))
    except WrongFile as error:
        raise _told(file, error) from None
    typer.echo(_summary(plan, dry_run=dry_run))


@app.command("export")
@reporting
def export_file(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.csv", help="Write here, not to the screen.")
    ] = None,
) -> None:
    """Write all products as a CSV file that 'orchestrator products import' reads back.

    A cell that a spreadsheet could take for a formula gets a ' before it, which the import takes away.
    """
    data = catalogue_csv.export(with_database(_everything)).encode()
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise CommandFailed(f"{output} cannot be written: {error.strerror}.") from error


@app.command("list")
@reporting
def list_all() -> None:
    """Show all products with their stock. A bundle counts how many whole bundles its parts make."""
    products = with_database(_everything)
    if not products:
        typer.echo("There are no products yet. Type: orchestrator products import FILE.csv")
        return
    typer.echo(table(_HEADER, [_row(product) for product in products], right=_NUMBERS))


def _read(file: str) -> bytes:
    """At most one byte more than a product file may have, which is then refused."""
    most = catalogue_csv.LARGEST_FILE + 1
    if file == "-":
        return sys.stdin.buffer.read(most)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(most)
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}.") from error


def _told(file: str, error: WrongFile) -> CommandFailed:
    """All problems on standard output, where there is room; the first one goes on standard error."""
    if error.total > 1:
        typer.echo(error.message)
    more = f" (and {error.total - 1} more)" if error.total > 1 else ""
    return CommandFailed(f"{file}: nothing was imported: {error.problems[0]}{more}.")


async def _plan(database: Database, records: Sequence[Record]) -> Plan:
    return await database.read(catalogue_csv.plan, records)


async def _apply(database: Database, records: Sequence[Record]) -> Plan:
    return await catalogue_csv.load(database, records, ACTOR, shopkeeper.import_records)


async def _everything(database: Database) -> list[Product]:
    return await database.read(catalogue.list_products)


def _summary(plan: Plan, *, dry_run: bool) -> str:
    created, changed, unchanged = len(plan.created), len(plan.changed), len(plan.unchanged)
    if dry_run:
        return f"Would create {created} and change {changed} products; {unchanged} would stay as they are."
    return f"Created {created} and changed {changed} products; {unchanged} stayed as they were."


def _row(product: Product) -> tuple[str, ...]:
    return (
        product.token,
        product.title,
        str(product.price),
        f"{product.tax_rate:f}",
        str(product.on_hand),
        str(product.reserved),
        str(product.available),
        "yes" if product.for_sale else "no",
    )
