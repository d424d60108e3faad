"""Importing a product file in two steps: a preview that writes nothing, and just that when it is confirmed.

The preview's fingerprint is taken over everything that it shows. To confirm, the file is compared with the
catalogue again: if that shows anything else, because somebody edited or sold meanwhile, nothing is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from orchestrator import catalogue, catalogue_csv
from orchestrator.catalogue_csv import Problem, Reading, Record
from orchestrator.catalogue_differences import Difference, differences
from orchestrator.catalogue_edit import Plan
from orchestrator.errors import OrchestratorError
from orchestrator.product import CatalogueError
from orchestrator.stamp import Stamp


class PreviewOutdated(OrchestratorError):
    """The catalogue is not as it was when the preview was made: look at the new one. Nothing was imported."""

    code = "preview_outdated"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the file that would do something, and what."""

    line: int
    token: str
    title: str
    edits: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would do. With ``wrong`` lines nothing of it can be imported."""

    added: tuple[Entry, ...]
    changed: tuple[Entry, ...]
    unchanged: int
    wrong: tuple[Problem, ...]

    @property
    def fingerprint(self) -> str:
        """The same for previews that show the same."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def preview(connection: Connection, reading: Reading) -> Preview:
    """Say what a file would do; nothing is written."""
    records, wrong = list(reading.records), list(reading.problems)
    # What is refused may be what other lines need: those are refused next. Bundles do not nest, so this ends.
    while True:
        try:
            plan = catalogue.plan(connection, [record.change for record in records])
        except CatalogueError as error:
            wrong += catalogue_csv.located(error, records)
            records = [record for record in records if record.change.token not in error.by_token]
        else:
            return _preview(plan, records, sorted(wrong, key=lambda problem: problem.line))


def apply(connection: Connection, records: Sequence[Record], fingerprint: str, stamp: Stamp) -> Preview:
    """Write what was previewed; returns it.

    Raises:
        PreviewOutdated: it would do something else by now.
    """
    try:
        done = catalogue.save_all(connection, [record.change for record in records], stamp.actor, stamp.at)
    except CatalogueError as error:
        raise PreviewOutdated from error
    written = _preview(done, records, ())
    if written.fingerprint != fingerprint:
        raise PreviewOutdated
    return written


def _preview(plan: Plan, records: Sequence[Record], wrong: Sequence[Problem]) -> Preview:
    lines = {record.change.token: record.line for record in records}

    def entries(changes: Sequence[catalogue.ProductChange]) -> tuple[Entry, ...]:
        return tuple(
            Entry(
                lines[change.token],
                change.token,
                change.title,
                differences(plan.before.get(change.token), change),
            )
            for change in changes
        )

    return Preview(entries(plan.created), entries(plan.changed), len(plan.unchanged), tuple(wrong))
