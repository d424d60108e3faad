"""Intents: what somebody wants done to a purchase, on the strength of what they saw of it.

Two people may look at one purchase and act at once. Each says which revision they saw; whoever comes second
is told what has changed since, and nothing is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from orchestrator import audit
from orchestrator.errors import OrchestratorError
from orchestrator.purchase import Purchase, load, lock
from orchestrator.stamp import Stamp
from orchestrator.tables import journal
from statemachine import Action


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the journal that came after what somebody saw."""

    at: datetime
    trigger: str
    source: str | None
    target: str
    actor: str
    detail: str

    def __str__(self) -> str:
        return f"{self.detail.rstrip('.')} ({self.actor})"


class Changed(OrchestratorError):
    """The purchase has changed since it was looked at, so nothing was done. Look at it again.

    Attributes:
        changes: what has happened since, oldest first.
        seen, revision: what was looked at, and what it is now.
    """

    code = "changed"

    def __init__(self, purchase: Purchase, seen: int, changes: tuple[Change, ...]) -> None:
        what = "; ".join(map(str, changes)) or "it was read anew"
        super().__init__(
            f"Purchase {purchase.id} has changed since it was looked at: {what}. "
            "Nothing was done: look at it again."
        )
        self.changes = changes
        self.seen = seen
        self.revision = purchase.revision


@dataclass(frozen=True, slots=True)
class Intent:
    """``seen`` is the revision that was looked at, None for whatever it is now; ``why`` is the reason in the
    words of who wants it, ``address`` where they are. Without an action it is nobody's."""

    action: Action | None = None
    seen: int | None = None
    why: str = ""
    address: str = ""

    def lock(self, connection: Connection, purchase_id: str, stamp: Stamp) -> Purchase:
        """Read the purchase in order to do what is wanted, and write down in the audit log that it was.

        Raises:
            PurchaseUnknown: there is none.
            Changed: it is not what was looked at.
        """
        purchase = lock(connection, purchase_id)
        self.agree(connection, purchase)
        if self.action is not None:
            action = f"purchase.{self.action.value}"
            audit.record(connection, stamp, action, purchase_id, self.why, self.address)
        return purchase

    def agree(self, connection: Connection, purchase: Purchase) -> None:
        """Raise Changed when the purchase is not what was looked at."""
        if self.seen is not None and purchase.revision != self.seen:
            raise Changed(purchase, self.seen, changes_since(connection, purchase.id, self.seen))

    def because(self, detail: str) -> str:
        """The journal's detail with the reason."""
        return f"{detail} Why: {self.why}" if self.why else detail


ANYWAY = Intent()
"""For what the orchestrator does by itself."""


def look(connection: Connection, purchase_id: str, intent: Intent) -> Purchase:
    """Read the purchase that an intent is about.

    Raises:
        PurchaseUnknown: there is none.
        Changed: it is not what was looked at.
    """
    purchase = load(connection, purchase_id)
    intent.agree(connection, purchase)
    return purchase


def changes_since(connection: Connection, purchase_id: str, revision: int) -> tuple[Change, ...]:
    """What has happened to a purchase after a revision of it, oldest first."""
    rows = connection.execute(
        select(*(journal.c[name] for name in Change.__slots__))
        .where(journal.c.purchase_id == purchase_id, journal.c.sequence > revision)
        .order_by(journal.c.sequence)
    )
    return tuple(Change(*row) for row in rows)
