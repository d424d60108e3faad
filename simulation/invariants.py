"""What must hold after every commit, whoever made it and whatever came in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from orchestrator.settings import Settings
from simulation.bank import Bank
from simulation.database import Store
from simulation.world import World
from statemachine import TABLE

JOURNAL = "the journal only grows, follows the table of states, and ends in what is stored"
STOCK = "on hand is start - sold + received, and reserved is what is held"
HOLD = "an open purchase holds its goods, a finished one holds none"
WATCHED = "what is not at rest has a next check or an attention mark"
CLOSED = "what we hold for closed is closed at SEQR"
RESENT = "an unanswered sendInvoice is not repeated while it may be on its way"
FAILED = "an invoiced purchase fails only by SEQR's word"
PAID = "a purchase is paid only by a payment that SEQR holds, of the same amount"
CONFIRMED = "what is stocked has one order confirmation in the outbox"
TWINS = "the same order again, while it is unpaid, makes nothing new"
READS = "what only reads writes nothing"

_ARROWS = {(arrow.source.value, arrow.trigger.value, arrow.target.value) for arrow in TABLE}
_ARROWS.add((None, "place", "received"))  # type: ignore[arg-type]

_NEW_ENTRIES = """SELECT id, purchase_id, sequence, trigger, source, target, at, actor, detail
    FROM journal WHERE id > ? ORDER BY id"""
_PURCHASE = "SELECT state, revision, invoice_reference, ers_reference, amount FROM purchases WHERE id = ?"
_CONFIRMATIONS = "SELECT count(*) FROM outbox WHERE purchase_id = ? AND kind = 'order_confirmation'"
_UNWATCHED = """SELECT p.id, p.state FROM purchases p WHERE p.next_check_at IS NULL AND (
    p.state = 'received' OR p.attention IS NULL AND p.state IN ('invoiced', 'paid')
    OR EXISTS (SELECT 1 FROM invoice_attempts a WHERE a.purchase_id = p.id AND a.state = 'open'))"""
_HOLDS = """SELECT id, state, holds_stock FROM purchases
    WHERE holds_stock <> 1 AND state IN ('received', 'invoiced')
    OR holds_stock AND state IN ('stocked', 'failed')"""
_CLOSED_ATTEMPTS = "SELECT reference FROM invoice_attempts WHERE state = 'closed' AND reference IS NOT NULL"
_ATTEMPTS = """SELECT b.id, a.state, a.sent_at, b.sent_at, p.received_at
    FROM invoice_attempts b JOIN purchases p ON p.id = b.purchase_id
    JOIN invoice_attempts a ON a.purchase_id = b.purchase_id AND a.number = b.number - 1
    WHERE b.rowid > ?"""
_LAST_ATTEMPT = "SELECT coalesce(max(rowid), 0) FROM invoice_attempts"
_NEEDS = """SELECT l.product_token, p.holds_stock, p.state = 'stocked', sum(l.quantity)
    FROM purchase_lines l JOIN purchases p ON p.id = l.purchase_id
    WHERE l.kind IN ('goods', 'stock') AND (p.holds_stock OR p.state = 'stocked') GROUP BY 1, 2, 3"""
_TWINS = """SELECT min(id), max(id) FROM purchases WHERE state IN ('received', 'invoiced')
    GROUP BY purchase_token, customer_name, customer_email HAVING count(*) > 1"""
_MOVED = """SELECT product_token, purchase_id IS NULL, sum(on_hand), sum(reserved)
    FROM stock_movements GROUP BY 1, 2"""


class Entry(NamedTuple):
    """A row of the journal."""

    id: int
    purchase_id: str
    sequence: int
    trigger: str
    source: str | None
    target: str
    at: str
    actor: str
    detail: str


class Invariants:
    """Looks at the books after each commit. ``start`` is what was on hand of each product."""

    def __init__(
        self, world: World, store: Store, bank: Bank, settings: Settings, start: Mapping[str, int]
    ) -> None:
        self.entries: list[Entry] = []
        """The journal as it grew."""
        self._world, self._store, self._bank = world, store, bank
        self._patience = settings.seqr_timeout + 1
        self._start = start
        self._latest: dict[str, Entry] = {}
        self._seen_closed: set[str] = set()
        self._last_attempt = 0
        self._moves = 0

    def committed(self) -> None:
        """Somebody has committed something."""
        check = self._world.check
        new = self._new_entries()
        check(JOURNAL, list(self._journal(new)))
        check(WATCHED, [f"{id_} is {state} and nobody looks at it" for id_, state in self._rows(_UNWATCHED)])
        check(CLOSED, list(self._closed()))
        check(RESENT, list(self._resent()))
        for entry in new:
            self._arrow(entry)
        moves = self._rows("SELECT count(*) FROM stock_movements")[0][0]
        if new or moves != self._moves:
            self._moves = moves
            check(HOLD, [f"{id_} is {state}, holds: {holds}" for id_, state, holds in self._rows(_HOLDS)])
            check(STOCK, list(self._stock()))
            check(TWINS, [f"{one} and {other} are the same order" for one, other in self._rows(_TWINS)])

    def wrote_in_read(self, name: str) -> None:
        """A unit of work that only reads has written."""
        self._world.check(READS, [f"{name} wrote"])

    def _rows(self, query: str, *values: object) -> list[Any]:
        return self._store.rows(query, *values)

    def _new_entries(self) -> list[Entry]:
        last = self.entries[-1].id if self.entries else 0
        new = [Entry(*row) for row in self._rows(_NEW_ENTRIES, last)]
        self.entries += new
        for entry in new:
            step = "" if entry.source == entry.target else f": {entry.source} → {entry.target}"
            self._world.tell("journal", f"{entry.purchase_id} {entry.trigger}{step}  ({entry.detail})")
        return new

    def _journal(self, new: list[Entry]) -> Iterator[str]:
        if self._rows("SELECT count(*) FROM journal")[0][0] != len(self.entries):
            yield "entries are gone"
        for entry in new:
            before = self._latest.get(entry.purchase_id)
            expected = (before.sequence + 1, before.target) if before else (1, None)
            if (entry.sequence, entry.source) != expected:
                yield f"{entry} does not follow {expected}"
            if entry.source != entry.target and (entry.source, entry.trigger, entry.target) not in _ARROWS:
                yield f"{entry} is no arrow of the table"
            self._latest[entry.purchase_id] = entry
        for purchase_id in dict.fromkeys(entry.purchase_id for entry in new):
            last = self._latest[purchase_id]
            state, revision, *_ = self._rows(_PURCHASE, purchase_id)[0]
            if (state, revision) != (last.target, last.sequence):
                yield f"{purchase_id} is {state} at {revision}, its journal ends with {last}"

    def _arrow(self, entry: Entry) -> None:
        if (entry.source, entry.target) == ("invoiced", "failed"):
            self._world.check(FAILED, list(self._failed(entry)))
        if entry.target == "paid" and entry.source != "paid":
            self._world.check(PAID, list(self._paid(entry)))
        if entry.target == "stocked" and entry.source != "stocked":
            number = self._rows(_CONFIRMATIONS, entry.purchase_id)[0][0]
            words = f"{entry.purchase_id} has {number} order confirmations"
            self._world.check(CONFIRMED, [words] if number != 1 else [])

    def _failed(self, entry: Entry) -> Iterator[str]:
        reference = self._rows(_PURCHASE, entry.purchase_id)[0][2]
        booked = self._bank.invoices[reference]
        # Money of a wrong sum waits for the merchant, who may have cancelled: see the last reckoning.
        paid = booked.status == "PAID" and booked.taken == booked.total
        if booked.payable or paid:
            yield f"{entry.purchase_id} failed, and SEQR says {booked.status} of {reference}"

    def _paid(self, entry: Entry) -> Iterator[str]:
        _, _, reference, ers_reference, amount = self._rows(_PURCHASE, entry.purchase_id)[0]
        booked = self._bank.invoices.get(reference or "")
        if booked is None or not booked.holds_money or booked.purchase_id != entry.purchase_id:
            yield f"{entry.purchase_id} is paid by {reference}, of which SEQR says {booked}"
        elif booked.ers_reference != ers_reference or int(_taken(booked.taken) * 10_000) != amount:
            yield f"{entry.purchase_id} has {amount} and {ers_reference}, SEQR {booked}"

    def _closed(self) -> Iterator[str]:
        for (reference,) in self._rows(_CLOSED_ATTEMPTS):
            if reference not in self._seen_closed:
                if self._bank.invoices[reference].payable:
                    yield f"{reference} counts as closed and can still be paid"
                else:
                    self._seen_closed.add(reference)

    def _resent(self) -> Iterator[str]:
        for id_, state, before, at, received in self._rows(_ATTEMPTS, self._last_attempt):
            waited = (_moment(at) - _moment(before)).total_seconds()
            if state in ("sending", "unknown") and at != received and waited < self._patience:
                yield f"attempt {id_} came {waited:.1f} s after one that is {state}"
        self._last_attempt = self._rows(_LAST_ATTEMPT)[0][0]

    def _stock(self) -> Iterator[str]:
        promised = {token: [on_hand, 0] for token, on_hand in self._start.items()}
        moved = {token: [on_hand, 0] for token, on_hand in self._start.items()}
        for token, holds, stocked, quantity in self._rows(_NEEDS):
            promised[token][0] -= quantity if stocked else 0
            promised[token][1] += quantity if holds else 0
        for token, by_hand, on_hand, reserved in self._rows(_MOVED):
            promised[token][0] += on_hand if by_hand else 0
            moved[token][0] += on_hand
            moved[token][1] += reserved
        for token, *there in self._rows("SELECT token, on_hand, reserved FROM products ORDER BY token"):
            if token in self._start and not there == promised[token] == moved[token]:
                yield (
                    f"{token} has {there} on hand and reserved; by the purchases it is {promised[token]}, "
                    f"by the movements {moved[token]}"
                )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _taken(money: Any) -> Any:
    return money.value
