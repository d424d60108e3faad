"""What is counted and reported beside the purchases, so that no page has to read them all."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Index, String, Text
from sqlmodel import Field, SQLModel

from orchestrator.models.fields import fixed as _fixed
from orchestrator.models.fields import moment as _moment

_bytewise = String(254).with_variant(String(254, collation="C"), "postgresql")


class Tally(SQLModel, table=True):
    """How many purchases that were made in one hour are in one state now, and what they amount to.

    Folded from the journal a moment after each change.
    """

    __tablename__ = "tallies"

    hour: datetime = _moment(primary_key=True)
    state: str = Field(primary_key=True, max_length=16)
    currency: str = Field(primary_key=True, max_length=3)
    number: int
    amount: Decimal = _fixed()


class TallyTotal(SQLModel, table=True):
    """The tallies of all hours together."""

    __tablename__ = "tally_totals"

    state: str = Field(primary_key=True, max_length=16)
    currency: str = Field(primary_key=True, max_length=3)
    number: int
    amount: Decimal = _fixed()


class TallyProgress(SQLModel, table=True):
    """How far the journal is folded: one row, which the migration makes. Ids that were skipped are waited
    for."""

    __tablename__ = "tally_progress"

    id: int = Field(primary_key=True)
    last: int = Field(sa_type=BigInteger)
    """The highest journal id that was folded."""
    missing: str = Field(sa_type=Text)
    """JSON: by skipped journal id, since when it is waited for."""


class SearchTerm(SQLModel, table=True):
    """A word by which a purchase is found, as ``search`` writes it.

    No foreign key: it is written in the purchase's own commit, a handful of rows each time.
    """

    __tablename__ = "search_terms"
    __table_args__ = ({"sqlite_with_rowid": False},)

    # Compared byte by byte, whatever the database's language: the beginning of a word is a range.
    term: str = Field(primary_key=True, sa_type=_bytewise)
    purchase_id: str = Field(primary_key=True, max_length=36)


class ProcessReport(SQLModel, table=True):
    """What one running process last said of itself: its jobs, its calls to SEQR."""

    __tablename__ = "process_reports"

    id: str = Field(primary_key=True, max_length=36)
    host: str = Field(max_length=255)
    pid: int
    version: str = Field(max_length=64)
    started_at: datetime = _moment()
    seen_at: datetime = _moment(index=True)
    report: str = Field(sa_type=Text)
    """JSON, as ``pulse`` writes it."""


class BulkRun(SQLModel, table=True):
    """One action on many purchases.

    States: ``running``; ``stopping`` (somebody stopped it: what was begun is ended), then ``stopped``;
    ``done``.
    """

    __tablename__ = "bulk_runs"

    id: str = Field(primary_key=True, max_length=36)
    action: str = Field(max_length=16)
    actor: str = Field(max_length=100)
    why: str = Field(sa_type=Text)
    selection: str = Field(max_length=2000)
    """The list's address that the purchases were chosen on."""
    state: str = Field(max_length=16, index=True)
    total: int
    done: int = 0
    """How many were done; like the next two written when it ends."""
    refused: int = 0
    failed: int = 0
    created_at: datetime = _moment()
    ended_at: datetime | None = _moment(default=None)


class BulkItem(SQLModel, table=True):
    """One purchase of a bulk run.

    States: ``waiting``; ``done``; ``refused`` (its state does not allow it, or it has changed since);
    ``failed`` (it went wrong each time); ``left`` (the run was stopped before its turn).
    """

    __tablename__ = "bulk_items"
    __table_args__ = (Index("bulk_items_by_state", "state", "run_id", "purchase_id"),)

    run_id: str = Field(primary_key=True, foreign_key="bulk_runs.id", max_length=36)
    purchase_id: str = Field(primary_key=True, foreign_key="purchases.id", max_length=36)
    revision: int
    """What the operator saw in the dry run."""
    state: str = Field(max_length=16)
    outcome: str = Field(sa_type=Text)
    """``done``: the purchase's state after it; otherwise why not, in a sentence. While it waits: what went
    wrong the last time."""
    tries: int
    """How often it was begun."""
    leased_until: datetime | None = _moment(default=None)
    """While it waits: somebody is at it, or it is not to be tried again, before this."""
