"""What people do to the catalogue and the stock: done and written down in one commit.

Each takes the network address that it came from, for the audit log.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from orchestrator import audit, catalogue, catalogue_csv, catalogue_import, stock
from orchestrator.catalogue_csv import Record
from orchestrator.catalogue_differences import Difference, differences, in_words
from orchestrator.catalogue_edit import Plan
from orchestrator.catalogue_import import Preview
from orchestrator.product import Product, ProductChange
from orchestrator.stamp import Stamp
from orchestrator.stock import Restock

CATALOGUE = "catalogue"
"""What an import is done to, in the audit log."""

_NAMED = 20
"""So many products of an import are named there."""


def add(connection: Connection, change: ProductChange, stamp: Stamp, address: str) -> None:
    """Make a product that is not there yet. Raises CatalogueError."""
    catalogue.add(connection, change, stamp.actor, stamp.at)
    audit.record(connection, stamp, "product.add", change.token, in_words(differences(None, change)), address)


def edit(
    connection: Connection, change: ProductChange, revision: int, stamp: Stamp, address: str
) -> tuple[Difference, ...]:
    """Change a product that somebody saw at ``revision``; returns what was changed, if anything was.

    Raises:
        ProductUnknown, ProductEdited, CatalogueError: nothing was changed.
    """
    plan = catalogue.edit(connection, change, revision, stamp.actor, stamp.at)
    edits = differences(plan.before[change.token], change)
    if edits:
        audit.record(connection, stamp, "product.edit", change.token, in_words(edits), address)
    return edits


def put(connection: Connection, change: ProductChange, stamp: Stamp, address: str) -> tuple[Product, bool]:
    """Make or change a product, whatever it was; returns it, and whether it is new. Raises CatalogueError."""
    done = catalogue.save_all(connection, [change], stamp.actor, stamp.at)
    if done.written:
        edits = differences(done.before.get(change.token), change)
        action = "product.add" if done.created else "product.edit"
        audit.record(connection, stamp, action, change.token, in_words(edits), address)
    product = catalogue.find(connection, change.token)
    assert product is not None
    return product, bool(done.created)


def import_file(
    connection: Connection, records: Sequence[Record], fingerprint: str, stamp: Stamp, address: str
) -> Preview:
    """Write a file just as it was previewed; returns what was done. Raises PreviewOutdated."""
    done = catalogue_import.apply(connection, records, fingerprint, stamp)
    added, changed = [entry.token for entry in done.added], [entry.token for entry in done.changed]
    _record_import(connection, added, changed, stamp, address)
    return done


def import_records(connection: Connection, records: Sequence[Record], actor: str, at: datetime) -> Plan:
    """Write a file whatever the catalogue is; returns what was done. Raises WrongFile."""
    done = catalogue_csv.apply(connection, records, actor, at)
    added, changed = [change.token for change in done.created], [change.token for change in done.changed]
    if added or changed:
        _record_import(connection, added, changed, Stamp(actor, at), "")
    return done


def receive(
    connection: Connection, token: str, change: int, reason: str, stamp: Stamp, address: str, drawn: str = ""
) -> Restock:
    """Book what came, or with a negative ``change`` what went; ``drawn`` is the id of the form.

    Raises StockError, BookedAlready for the same form again.
    """
    done = stock.receive(connection, token, change, reason, stamp.actor, stamp.at, drawn=drawn)
    detail = f"{change:+d}: {done.before} → {done.after}; {reason}"
    audit.record(connection, stamp, "stock.receive", token, detail, address)
    return done


def correct(
    connection: Connection, token: str, counted: int, seen: int, reason: str, stamp: Stamp, address: str
) -> Restock:
    """Set what is on hand to what was counted, by somebody who saw ``seen``. Raises StockError."""
    done = stock.correct(connection, token, counted, reason, stamp.actor, stamp.at, seen=seen)
    detail = f"counted {counted}: {done.before} → {done.after}; {reason}"
    audit.record(connection, stamp, "stock.correct", token, detail, address)
    return done


def _record_import(
    connection: Connection, added: Sequence[str], changed: Sequence[str], stamp: Stamp, address: str
) -> None:
    tokens = [*added, *changed]
    more = f" and {len(tokens) - _NAMED} more" if len(tokens) > _NAMED else ""
    detail = f"{len(added)} added, {len(changed)} changed: {', '.join(tokens[:_NAMED])}{more}"
    audit.record(connection, stamp, "product.import", CATALOGUE, detail, address)
