"""The audit bites: whatever is wrong at the end of a run is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from endurance.audit import Verdict, audit
from endurance.bank import REVERSED_AFTER, Bank, Invoice
from endurance.books import Books, Purchase

START = 100


@dataclass
class Run:
    """Three purchases that were paid, as SEQR, the shop and the mail server have them."""

    invoices: dict[str, Invoice]
    books: Books
    wire: Counter[str]

    def verdict(self) -> Verdict:
        return audit(self.invoices.values(), self.books, self.wire, START)

    def become(self, purchase_id: str, **changes: object) -> None:
        """Change a purchase in our books."""
        purchases = self.books.purchases
        purchases[purchase_id] = replace(purchases[purchase_id], **changes)  # type: ignore[arg-type]


def invoice(number: int, wait: float = 0.5) -> Invoice:
    paid_at = 10.0 * number
    made = Invoice(f"r{number}", f"http://shop.example/n/{number}", f"order-{number}", "", paid_at)
    made.notified, made.asked, made.committed_at = [paid_at], [paid_at + wait], paid_at + wait
    return made


@pytest.fixture
def run() -> Run:
    ids = ("p1", "p2", "p3")
    return Run(
        {f"r{number}": invoice(number) for number in (1, 2, 3)},
        Books(
            purchases={id_: Purchase(id_, "stocked", None, is_watched=False) for id_ in ids},
            of_invoice={f"r{id_[1:]}": [id_] for id_ in ids},
            mails={id_: [f"m{id_[1:]}"] for id_ in ids},
            unsent=0,
            sold=Counter(ids),
            on_hand=START - 3,
            reserved=0,
            disagreements=[],
        ),
        Counter(f"m{number}@localhost" for number in (1, 2, 3)),
    )


def test_nothing_is_said_of_a_run_that_is_right(run: Run) -> None:
    verdict = run.verdict()

    assert (verdict.paid, verdict.reversed, verdict.lost, verdict.doubled) == (3, 0, 0, 0)
    assert verdict.complaints == verdict.late == ()
    assert (verdict.after_payment.number, verdict.after_payment.longest) == (3, 0.5)
    assert (verdict.after_notification.number, verdict.after_notification.p99) == (3, 0.5)


def test_a_lost_notification_is_counted_as_reversed_where_nobody_polls(run: Run) -> None:
    clock = iter([10.0, 10.0 + REVERSED_AFTER + 1]).__next__
    bank = Bank(clock)
    bank.invoices = run.invoices
    unheard = bank.invoices["r1"] = Invoice("r1", "http://shop.example/n/1", "order-1", "")
    bank.pay(unheard.reference)
    run.become("p1", state="invoiced", is_watched=True)
    assert bank.waiting() == 0

    verdict = run.verdict()

    assert (verdict.paid, verdict.reversed, verdict.lost) == (3, 1, 0)
    assert "Payments reversed, for nobody asked about them within 20 s: 1 (r1)." in verdict.complaints


def lose(run: Run) -> None:
    run.become("p2", state="invoiced")


def forget(run: Run) -> None:
    run.books.of_invoice.pop("r2")


def fail(run: Run) -> None:
    run.become("p2", state="failed")


@pytest.mark.parametrize("how", [lose, forget, fail])
def test_a_payment_without_a_paid_purchase_is_lost(run: Run, how: Callable[[Run], None]) -> None:
    how(run)

    verdict = run.verdict()

    assert verdict.lost == 1
    assert "Payments that SEQR holds and no paid purchase has: 1 (r2)." in verdict.complaints


def two_owners(run: Run) -> None:
    run.books.of_invoice["r1"].append("p2")
    run.books.of_invoice["r2"] = ["p3"]
    run.books.of_invoice["r3"] = []


def paid_twice(run: Run) -> None:
    run.invoices["r4"] = invoice(4)
    run.books.of_invoice["r4"] = ["p1"]


def taken_twice(run: Run) -> None:
    run.books.sold["p1"] = 2


def confirmed_twice(run: Run) -> None:
    run.books.mails["p1"].append("m4")


def sent_twice(run: Run) -> None:
    run.wire["m1@localhost"] += 1


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (two_owners, "Invoices of more than one purchase: 1 (r1)."),
        (paid_twice, "Purchases paid more than once: 1 (p1)."),
        (taken_twice, "Purchases that took more than one piece from the stock: 1 (p1)."),
        (confirmed_twice, "Purchases with more than one confirmation: 1 (p1)."),
        (sent_twice, "Mails that went out more than once: 1 (m1@localhost)."),
    ],
)
def test_what_is_there_twice_is_doubled(run: Run, how: Callable[[Run], None], words: str) -> None:
    how(run)

    verdict = run.verdict()

    assert verdict.doubled == 1
    assert words in verdict.complaints


def unpaid(run: Run) -> None:
    run.invoices["r1"].paid_at = None


def watched(run: Run) -> None:
    run.become("p1", is_watched=True)


def marked(run: Run) -> None:
    run.become("p1", attention="look")


def short(run: Run) -> None:
    run.books = replace(run.books, on_hand=START - 2)


def held(run: Run) -> None:
    run.books = replace(run.books, reserved=1)


def untaken(run: Run) -> None:
    run.books.sold["p1"] = 0


def unsent(run: Run) -> None:
    run.books = replace(run.books, unsent=1)


def undelivered(run: Run) -> None:
    run.wire.pop("m1@localhost")


def unknown(run: Run) -> None:
    run.wire["m9@localhost"] = 1


def tampered(run: Run) -> None:
    run.books.disagreements.append("p1 is stocked at revision 3")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (unpaid, "Purchases that count as paid without a payment at SEQR: 1 (p1)."),
        (lose, "Purchases that are not stocked: 1 (p2 is invoiced)."),
        (watched, "Purchases that are still watched: 1 (p1)."),
        (marked, "Purchases with an attention mark: 1 (p1)."),
        (short, "The stock is 98, but 100 less 3 sold is not that."),
        (held, "Pieces that are still held: 1."),
        (untaken, "Stocked purchases that took nothing from the stock: 1 (p1)."),
        (unsent, "Mails that did not go out: 1."),
        (undelivered, "Stocked purchases whose confirmation did not arrive: 1 (p1)."),
        (unknown, "Mails that arrived and are not sent by our books: 1 (m9)."),
        (tampered, "Journals that do not make their purchase what it is: 1 (p1 is stocked at revision 3)."),
    ],
)
def test_what_else_is_wrong_is_said(run: Run, how: Callable[[Run], None], words: str) -> None:
    how(run)

    assert words in run.verdict().complaints


def test_of_many_only_the_first_are_named(run: Run) -> None:
    for id_ in run.books.purchases:
        run.become(id_, attention="look")
    run.books.purchases["p4"] = Purchase("p4", "stocked", "look", is_watched=False)

    assert "Purchases with an attention mark: 4 (p1, p2, p3, …)." in run.verdict().complaints


def test_questions_that_begin_late_are_said_and_are_no_complaint(run: Run) -> None:
    run.invoices["r1"] = invoice(1, wait=7)

    verdict = run.verdict()

    assert verdict.complaints == ()
    assert verdict.late == (
        "From a payment to the question it took 7.00 s (p99), not 5 s.",
        "From a notification to the question it took 7.00 s (p99), not 1 s.",
    )


def test_without_a_notification_there_is_nothing_to_wait_for_after_one(run: Run) -> None:
    for each in run.invoices.values():
        each.notified.clear()

    assert run.verdict().after_notification.number == 0
    assert run.verdict().after_notification.p99 is None
