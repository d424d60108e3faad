"""The last reckoning: what must hold when the storm is over and everything has come to rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from simulation.bank import Bank, Booked
from simulation.database import Store
from simulation.invariants import JOURNAL, Entry
from simulation.mailbox import Mailbox
from simulation.world import World

REST = "after the storm everything comes to rest"
MONEY = "every payment that SEQR holds belongs to one paid purchase, and every paid purchase has one"
WRONG = "a payment of a wrong sum is marked with both, until the merchant starts over"
OPEN = "no customer can pay an invoice that nobody watches any more"
MAILS = "every mail in the outbox has reached the mail server, or was refused for good"

_RESTLESS = """SELECT 'purchase ' || id || ' is ' || state || ' and still looked at' FROM purchases
    WHERE next_check_at IS NOT NULL
    UNION ALL SELECT 'mail ' || id || ' is queued' FROM outbox WHERE next_attempt_at IS NOT NULL
    UNION ALL SELECT 'bulk run ' || id || ' is ' || state FROM bulk_runs
    WHERE state IN ('running', 'stopping')"""
_PURCHASES = "SELECT id, state, invoice_reference, ers_reference, attention FROM purchases ORDER BY id"
_ATTEMPTS = "SELECT reference FROM invoice_attempts WHERE reference IS NOT NULL"
_JOURNAL = """SELECT id, purchase_id, sequence, trigger, source, target, at, actor, detail
    FROM journal ORDER BY id"""
_MAILS = "SELECT message_id, purchase_id, kind, state FROM outbox ORDER BY id"
_SETTLED = ("paid", "stocked")


class Reckoning:
    """Looks at everything once, at the end."""

    def __init__(self, world: World, store: Store, bank: Bank, mailbox: Mailbox) -> None:
        self._world, self._store, self._bank, self._mailbox = world, store, bank, mailbox

    def restless(self) -> list[str]:
        """What has not come to rest yet."""
        return [row[0] for row in self._store.rows(_RESTLESS)]

    def reckon(self, entries: list[Entry]) -> None:
        """Check everything. ``entries`` is the journal as it grew."""
        self._world.check(REST, self.restless())
        kept = [Entry(*row) for row in self._store.rows(_JOURNAL)]
        self._world.check(JOURNAL, [] if kept == entries else ["entries are not what they were"])
        self._world.check(MONEY, list(self._money()))
        self._world.check(WRONG, list(self._wrong_sums(entries)))
        self._world.check(OPEN, list(self._open()))
        self._world.check(MAILS, list(self._mails()))

    def _money(self) -> Iterator[str]:
        purchases = {row[0]: row for row in self._store.rows(_PURCHASES)}
        held = Counter[str]()
        for booked in self._bank.invoices.values():
            if booked.holds_money and booked.taken == booked.total:
                held[booked.purchase_id] += 1
                yield from self._payment(booked, purchases.get(booked.purchase_id))
        for id_, state, *_ in purchases.values():
            if held[id_] != (state in _SETTLED):
                yield f"{id_} is {state}, and SEQR holds {held[id_]} payments for it"

    def _payment(self, booked: Booked, purchase: Any) -> Iterator[str]:
        ours = purchase and (purchase[1] in _SETTLED, *purchase[2:4])
        if ours != (True, booked.reference, booked.ers_reference):
            yield f"SEQR holds the payment of {booked.reference}, its purchase is {purchase}"

    def _wrong_sums(self, entries: list[Entry]) -> Iterator[str]:
        purchases = {row[0]: row for row in self._store.rows(_PURCHASES)}
        for booked in self._bank.invoices.values():
            if booked.holds_money and booked.taken != booked.total:
                story = [entry for entry in entries if entry.purchase_id == booked.purchase_id]
                if not _told(booked, story, purchases[booked.purchase_id]):
                    taken = f"{booked.taken} for {booked.reference} instead of {booked.total}"
                    yield f"SEQR took {taken}, its purchase is {purchases[booked.purchase_id]}"

    def _open(self) -> Iterator[str]:
        learnt = {row[0] for row in self._store.rows(_ATTEMPTS)}
        for booked in self._bank.invoices.values():
            if booked.payable and (booked.known or booked.reference in learnt):
                yield f"{booked.reference} of {booked.purchase_id} can still be paid"

    def _mails(self) -> Iterator[str]:
        for message_id, purchase_id, kind, state in self._store.rows(_MAILS):
            taken = self._mailbox.taken[message_id]
            if kind == "order_confirmation" and message_id not in self._mailbox.refused and not taken:
                yield f"the order confirmation {message_id} of {purchase_id} never went out: {state}"
            if state == "sent" and not taken:
                yield f"mail {message_id} counts as sent, and never went out"


def _told(booked: Booked, story: list[Entry], purchase: Any) -> bool:
    """Whether the merchant was told of a wrong sum, and still is, unless it was dealt with."""
    both = (str(booked.taken), str(booked.total))
    told = [
        entry for entry in story if entry.trigger == "attention" and all(one in entry.detail for one in both)
    ]
    if not told:
        return False
    over = purchase[1] in _SETTLED or any(
        entry.trigger == "retry" and entry.sequence > told[-1].sequence for entry in story
    )
    return over or both[0] in (purchase[4] or "")
