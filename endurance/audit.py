"""The audit: SEQR's books and ours, held against each other when all is over. A complaint is a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.load import percentile
from endurance.bank import Invoice
from endurance.books import Books
from statemachine import State

AFTER_PAYMENT, AFTER_NOTIFICATION = 5.0, 1.0
"""Seconds within which getPaymentStatus begins, at the 99th percentile."""

_NAMED = 3
_HAS_MONEY = (State.PAID.value, State.STOCKED.value)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long payments (or notifications) waited for our question, in seconds; None if there were none."""

    number: int
    p50: float | None = None
    p99: float | None = None
    longest: float | None = None

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Waits:
        if not seconds:
            return cls(0)
        return cls(len(seconds), percentile(seconds, 50), percentile(seconds, 99), max(seconds))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the audit found. ``lost`` is money without its purchase, ``doubled`` a purchase, piece or mail
    that is there twice for one payment."""

    paid: int
    reversed: int
    lost: int
    doubled: int
    after_payment: Waits
    after_notification: Waits
    complaints: tuple[str, ...]
    """What is wrong with the money, the stock, the books or the mails."""
    late: tuple[str, ...]
    """What took longer than promised."""


def audit(invoices: Collection[Invoice], books: Books, wire: Mapping[str, int], start: int) -> Verdict:
    """Judge a run. ``wire`` counts mails by Message-ID as they arrived; ``start`` is what was on hand."""
    reversed_ = [invoice.reference for invoice in invoices if invoice.reversed_at is not None]
    lost, doubled = _lost(invoices, books), _doubled(invoices, books, wire)
    after_payment = Waits.of([wait for invoice in invoices if (wait := invoice.wait()) is not None])
    after_notification = Waits.of([w for invoice in invoices for w in invoice.waits_after_notification()])
    complaints = [
        *_told("Payments reversed, for nobody asked about them within 20 s", reversed_),
        *_told("Payments that SEQR holds and no paid purchase has", lost),
        *(sentence for words, which in doubled.items() for sentence in _told(words, which)),
        *_told("Purchases that count as paid without a payment at SEQR", _for_nothing(invoices, books)),
        *_at_rest(books),
        *_stock(books, start),
        *_mails(books, wire),
        *_told("Journals that do not make their purchase what it is", books.disagreements),
    ]
    return Verdict(
        paid=sum(invoice.paid_at is not None for invoice in invoices),
        reversed=len(reversed_),
        lost=len(lost),
        doubled=sum(map(len, doubled.values())),
        after_payment=after_payment,
        after_notification=after_notification,
        complaints=tuple(complaints),
        late=(
            *_late("payment", after_payment, AFTER_PAYMENT),
            *_late("notification", after_notification, AFTER_NOTIFICATION),
        ),
    )


def _lost(invoices: Iterable[Invoice], books: Books) -> list[str]:
    """What SEQR holds for us and no paid purchase of ours knows of."""

    def is_known(invoice: Invoice) -> bool:
        owners = books.of_invoice.get(invoice.reference, ())
        return any(books.purchases[owner].state in _HAS_MONEY for owner in owners)

    return [invoice.reference for invoice in invoices if invoice.is_taken and not is_known(invoice)]


def _doubled(invoices: Iterable[Invoice], books: Books, wire: Mapping[str, int]) -> dict[str, list[str]]:
    """What there is twice for one payment, by what to say of it."""
    payments = Counter(
        owner
        for invoice in invoices
        if invoice.is_taken
        for owner in books.of_invoice.get(invoice.reference, ())
    )
    return {
        "Invoices of more than one purchase": [
            reference for reference, owners in books.of_invoice.items() if len(owners) > 1
        ],
        "Purchases paid more than once": _more_than_once(payments),
        "Purchases that took more than one piece from the stock": _more_than_once(books.sold),
        "Purchases with more than one confirmation": [
            owner for owner, ids in books.mails.items() if len(ids) > 1
        ],
        "Mails that went out more than once": _more_than_once(wire),
    }


def _for_nothing(invoices: Iterable[Invoice], books: Books) -> list[str]:
    paid = {
        owner
        for invoice in invoices
        if invoice.is_taken
        for owner in books.of_invoice.get(invoice.reference, ())
    }
    return [id_ for id_, found in books.purchases.items() if found.state in _HAS_MONEY and id_ not in paid]


def _at_rest(books: Books) -> Iterator[str]:
    """Everybody has paid, so every purchase is stocked and wants nothing more."""
    unfinished = [
        f"{id_} is {p.state}" for id_, p in books.purchases.items() if p.state != State.STOCKED.value
    ]
    yield from _told("Purchases that are not stocked", unfinished)
    watched = [id_ for id_, found in books.purchases.items() if found.is_watched]
    yield from _told("Purchases that are still watched", watched)
    marked = [id_ for id_, found in books.purchases.items() if found.attention is not None]
    yield from _told("Purchases with an attention mark", marked)


def _stock(books: Books, start: int) -> Iterator[str]:
    stocked = [id_ for id_, found in books.purchases.items() if found.state == State.STOCKED.value]
    if books.on_hand != start - len(stocked):
        yield f"The stock is {books.on_hand:,}, but {start:,} less {len(stocked):,} sold is not that."
    if books.reserved != 0:
        yield f"Pieces that are still held: {books.reserved}."
    yield from _told(
        "Stocked purchases that took nothing from the stock", [id_ for id_ in stocked if books.sold[id_] < 1]
    )


def _mails(books: Books, wire: Mapping[str, int]) -> Iterator[str]:
    if books.unsent:
        yield f"Mails that did not go out: {books.unsent}."
    stocked = [id_ for id_, found in books.purchases.items() if found.state == State.STOCKED.value]
    arrived = {message_id.partition("@")[0] for message_id in wire}
    without = [id_ for id_ in stocked if not set(books.mails.get(id_, ())) & arrived]
    yield from _told("Stocked purchases whose confirmation did not arrive", without)
    ours = {message_id.partition("@")[0] for ids in books.mails.values() for message_id in ids}
    yield from _told("Mails that arrived and are not sent by our books", sorted(arrived - ours))


def _late(what: str, waits: Waits, promised: float) -> Iterator[str]:
    if waits.p99 is not None and waits.p99 > promised:
        yield f"From a {what} to the question it took {waits.p99:.2f} s (p99), not {promised:g} s."


def _more_than_once(counts: Mapping[str, int]) -> list[str]:
    return [name for name, number in counts.items() if number > 1]


def _told(words: str, which: Sequence[str]) -> Iterator[str]:
    if which:
        more = ", …" if len(which) > _NAMED else ""
        yield f"{words}: {len(which)} ({', '.join(which[:_NAMED])}{more})."
