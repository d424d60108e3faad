"""Money in doubt: who may pay, about what SEQR will not tell, who got the money back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, literal_column, select

from dashboard import sayings
from dashboard.window import Window
from orchestrator import tally
from orchestrator.identity import first_id
from orchestrator.pulse import DEADLINE, Pulse
from orchestrator.seqr.messages import Verdict
from orchestrator.tables import exchanges, purchases
from statemachine import Reason, State


def read_waiting(connection: Connection) -> int:
    """How many customers may pay: they are invoiced, and their invoices are not in doubt."""
    doubtful = _invoiced(connection, purchases.c.attention.is_not(None))
    return max(tally.totals(connection)[State.INVOICED.value] - doubtful, 0)


def read_untold(connection: Connection) -> int:
    """About how many invoices that could be paid SEQR refuses to tell."""
    return _invoiced(connection, purchases.c.attention.startswith(sayings.REFUSES_TO_TELL))


def read_reversed(connection: Connection, window: Window) -> int:
    """How many of those made in the window were paid, and SEQR gave the money back, by their index."""
    c = purchases.c
    is_reversed = c.reason == literal_column(f"'{Reason.REVERSED.value}'")
    statement = select(func.count()).where(is_reversed, c.id >= first_id(window.since))
    return int(connection.execute(statement).scalar_one())


def silent_since(connection: Connection, purchase_id: str) -> datetime | None:
    """When SEQR first left a call about the purchase without an answer, and has decided on none since."""
    c = exchanges.c
    decided = select(func.max(c.started_at)).where(
        c.purchase_id == purchase_id, c.verdict.in_((Verdict.ANSWERED.value, Verdict.REFUSED.value))
    )
    last: datetime | None = connection.execute(decided).scalar_one()
    first = select(func.min(c.started_at)).where(c.purchase_id == purchase_id)
    if last is not None:
        first = first.where(c.started_at > last)
    since: datetime | None = connection.execute(first).scalar_one()
    return since


def is_outage(beat: Pulse) -> bool:
    """Whether SEQR answers so seldom that nobody can tell who has paid."""
    return beat.seqr.state == "down" or beat.longest_unasked > DEADLINE


def _invoiced(connection: Connection, needing: ColumnElement[bool]) -> int:
    """By the index of those that need attention."""
    c = purchases.c
    statement = select(func.count()).where(c.attention.is_not(None), c.state == State.INVOICED.value, needing)
    return int(connection.execute(statement).scalar_one())
