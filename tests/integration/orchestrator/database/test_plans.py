"""That what is done for every purchase, and again and again, goes by an index and looks at few rows, however
many purchases there are: on both databases, as their planners decide on a populated one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, select, update

from dashboard.queries import purchase as purchase_page
from orchestrator import (
    census,
    customer,
    erasure,
    exchange,
    issuing,
    outbox,
    outcome,
    placement,
    purchase,
    purchase_queries,
    stray,
    tally,
    watch,
)
from orchestrator.customer import Wanted
from orchestrator.database import Database
from orchestrator.identity import now
from orchestrator.purchase import Order
from orchestrator.selection import Filter
from orchestrator.seqr.messages import IssuedInvoice, PaymentStatus
from orchestrator.stamp import Stamp
from orchestrator.tables import invoice_attempts, purchases
from orchestrator.tables import outbox as mails
from orchestrator.tail import Tail, newest_id
from tests.fixtures.busy import DUE, undone
from tests.fixtures.seqr import answered
from tests.fixtures.shop import settings
from tests.fixtures.statements import recorded

BIG = (
    "exchanges", "invoice_attempts", "journal", "notifications", "outbox", "purchase_lines", "purchases",
    "search_terms", "stock_movements",
)  # fmt: skip
"""Tables that grow with the purchases."""
FEW = 250
"""Rows that a statement may look at in vain. The largest bite, of exchanges, is 1,000 and all of use."""
SETTINGS = settings(public_url="https://shop.example")
ORDER = Order("product-0", "Anna Ek", "Storgatan 1", "Umeå", "", "903 26", "Sweden", "a@example.com", "46701")


@dataclass(frozen=True, slots=True)
class Known:
    """An open purchase with its invoice, and when it is."""

    purchase: str
    attempt: str
    reference: str
    email: str
    at: datetime

    @property
    def stamp(self) -> Stamp:
        return Stamp("tests", self.at)


Work = Callable[[Connection, Known], Any]


def order(connection: Connection, known: Known, msisdn: str = "46701") -> None:
    placed = placement.place(connection, replace(ORDER, msisdn=msisdn), SETTINGS, known.at)
    assert placed.draft is not None
    answer = answered(IssuedInvoice("R-of-ours", "HTTP://SEQR.SE/R1"))
    issuing.record_sent(connection, placed.draft.attempt_id, answer, SETTINGS, known.stamp)


def status(connection: Connection, known: Known, words: str) -> None:
    watch.told(connection, known.purchase, "192.0.2.1", known.at)
    watch.look(connection, known.purchase)
    answer = answered(PaymentStatus(words, 2, invoice_reference=known.reference))
    outcome.record_status(connection, known.attempt, answer, SETTINGS, known.stamp)
    watch.rest(connection, known.purchase, known.at)


def post(connection: Connection, known: Known) -> None:
    ids = connection.execute(select(mails.c.id).order_by(mails.c.id).limit(3)).scalars().all()
    due = {"state": "queued", "next_attempt_at": known.at}
    connection.execute(update(mails).where(mails.c.id.in_(ids)).values(due))
    assert len(outbox.claim(connection, known.at, 20)) == 3


def follow(connection: Connection, _: Known) -> None:
    tail = Tail.at_end(connection)
    tail.read(connection)
    assert newest_id(connection) > 0


def listed(connection: Connection, known: Known, **which: Any) -> None:
    purchase_queries.page(connection, Filter(**which), 50)
    purchase_queries.page(connection, Filter(**which), 50, known.purchase)


def shown(connection: Connection, known: Known) -> None:
    purchase_queries.find(connection, known.purchase)
    purchase_queries.transitions(connection, known.purchase)
    purchase_queries.exchanges_of(connection, known.purchase)
    purchase_page.find_by_reference(connection, known.reference)


def claim(connection: Connection, known: Known) -> None:
    assert len(watch.claim(connection, SETTINGS, known.at, 200)) >= DUE


WORKS: dict[str, Work] = {
    "order": order,
    "order without a phone": partial(order, msisdn=""),
    "same order again": lambda connection, _: purchase.find_by_request(connection, "0" * 64),
    "payment": partial(status, words="PAID"),
    "cancellation": partial(status, words="CANCELED"),
    "another's invoice": lambda connection, known: stray.paid_too(
        connection, purchase.load(connection, known.purchase)
    ),
    "claim of what is due": claim,
    "claim of mails": post,
    "feed": follow,
    "tally": lambda connection, known: tally.look(connection, known.at),
    "open invoices": lambda connection, known: census.open_invoices(connection, known.at),
    "list": listed,
    "list by state": partial(listed, states=("failed",)),
    "list by time": partial(listed, since=now() - timedelta(days=1)),
    "list by reference": lambda connection, known: listed(connection, known, q=known.reference),
    "list by words": lambda connection, known: listed(connection, known, q=known.email),
    "one purchase": shown,
    "forgetting calls": lambda connection, known: exchange.prune(connection, known.at, 200),
    "forgetting customers": lambda connection, known: erasure.prune(connection, known.at, 200),
    "a customer's purchases": lambda connection, known: customer.read(connection, Wanted("", known.email)),
}


def seen(connection: Connection, work: Work) -> list[str]:
    """How the database carries out each statement of the work; PostgreSQL tells what it found, too."""
    known = _known(connection)
    if connection.dialect.name == "postgresql":
        # However many rows it takes until an index is quicker: what is asked is whether one will do.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql("SET LOCAL random_page_cost = 1.1")
    with recorded(connection) as statements:
        work(connection, known)
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN ANALYZE"
    return [
        "\n".join(
            [words, *(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {words}", values))]
        )
        for words, values in statements
        if not words.startswith("INSERT") and not isinstance(values, list)
    ]


def _known(connection: Connection) -> Known:
    c, a = purchases.c, invoice_attempts.c
    row = connection.execute(
        select(c.id, a.id, a.reference, c.customer_email)
        .join(invoice_attempts, a.purchase_id == c.id)
        .where(c.state == "invoiced")
        .order_by(c.id)
        .limit(1)
    ).one()
    return Known(*row, now())


def flaw(plan: str) -> str | None:
    """What is wrong with a plan: a big table that it reads from end to end, or rows that it reads in vain."""
    for table in BIG:
        if re.search(rf"Seq Scan on {table}\b|^SCAN {table}$", plan, re.MULTILINE):
            return f"reads all of {table}"
    in_vain = max(map(int, re.findall(r"Rows Removed by .*: (\d+)", plan)), default=0)
    return f"reads {in_vain} rows in vain" if in_vain > FEW else None


async def test_all_go_by_an_index_and_look_at_few_rows(busy: Database) -> None:
    """All in one test: the database takes seconds to fill, in each test process."""
    flaws = []
    for name, work in WORKS.items():
        plans = await undone(busy, partial(seen, work=work))
        assert plans, name
        flaws += [f"{name} {found}: {plan}" for plan in plans if (found := flaw(plan)) is not None]
    assert flaws == [], "\n\n".join(flaws)


def test_a_bad_plan_is_noticed() -> None:
    assert flaw("SELECT id FROM purchases\nSCAN purchases") == "reads all of purchases"
    assert flaw("->  Seq Scan on journal  (cost=0.00") == "reads all of journal"
    assert flaw("->  Index Scan\n  Rows Removed by Filter: 3000") == "reads 3000 rows in vain"
    assert flaw("SEARCH purchases USING INDEX purchases_due (next_check_at<?)") is None
