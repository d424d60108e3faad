"""Erasing customers: a finished purchase loses who bought it, and keeps what was bought, paid and delivered.

Blank afterwards: name, address, mail address and phone; the terms by which it is found, and the key of its
request, which was made of them; recipient and text of its mails; what was said to and by SEQR. The journal
and the audit log name no customer, and can be changed by nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, select, text, update

from orchestrator import search
from orchestrator.errors import OrchestratorError
from orchestrator.tables import bulk_runs, exchanges, outbox, purchases, search_terms

FIELDS = ("name", "street", "city", "state", "zip", "country", "email", "msisdn")
"""Of the customer; in the table each stands behind ``customer_``."""
PAID_LATE = "Paid, but the customer was erased: refund it."
"""The attention mark of a failed purchase that was paid after all."""
WHY_NO_RETRY = "The customer was erased: there is nobody to send the goods or a link to."

_BITE = 100
_WORDS = "q="
"""In a list's address: what was searched for follows."""
_C = purchases.c
_KEPT = text("customer_erased_at IS NULL AND attention IS NULL AND state IN ('stocked', 'failed')")
"""Word for word the condition of the index ``purchases_to_erase``: so it is used."""


class CustomerErased(OrchestratorError):
    """The customer of the purchase was erased: there is no address to send anything to."""

    code = "customer_erased"


def prune(connection: Connection, at: datetime, days: int) -> int:
    """Erase the customers of purchases to which nothing has happened for ``days``, a bite at a time, the
    oldest first; returns how many.

    Left alone: what is not finished, waits for somebody, is looked at again by itself, or has a mail on its
    way. What another process has in hand is that one's.
    """
    waiting = select(outbox.c.id).where(outbox.c.purchase_id == _C.id, outbox.c.state == "queued")
    old = (
        select(_C.id)
        .with_hint(purchases, "INDEXED BY purchases_to_erase", "sqlite")
        .where(_KEPT, _C.updated_at < at - timedelta(days=days))
        .where(_C.next_check_at.is_(None), ~waiting.exists())
        .order_by(_C.updated_at)
        .limit(_BITE)
        .with_for_update(of=purchases, key_share=True, skip_locked=True)
    )
    ids = connection.execute(old).scalars().all()
    blank(connection, ids, at)
    return len(ids)


def prune_searches(connection: Connection, at: datetime, days: int) -> int:
    """Forget what was searched for to choose the purchases of bulk runs that ended so long ago; returns how
    many runs it was. Customers are found by name, mail address and phone."""
    runs = bulk_runs.c
    old = (runs.ended_at < at - timedelta(days=days), runs.selection.contains(_WORDS))
    found = connection.execute(select(runs.id, runs.selection).where(*old).limit(_BITE)).all()
    for run_id, selection in found:
        forgotten = search.without_words(selection)
        forgotten = forgotten.partition("?")[0] if _WORDS in forgotten else forgotten  # else for ever
        connection.execute(update(bulk_runs).where(runs.id == run_id).values(selection=forgotten))
    return len(found)


def blank(connection: Connection, ids: Sequence[str], at: datetime) -> None:
    """Erase the customers of these purchases, which the caller has locked and knows to be finished."""
    if not ids:
        return
    _forget_terms(connection, ids)
    connection.execute(
        update(purchases)
        .where(_C.id.in_(ids))
        .values(
            **{f"customer_{name}": "" for name in FIELDS},
            search_text="",
            request_key=_C.id,
            customer_erased_at=at,
        )
    )
    connection.execute(
        update(outbox)
        .where(outbox.c.purchase_id.in_(ids))
        .values(recipient="", subject=None, text_body=None, html_body=None, last_error=None)
    )
    connection.execute(
        update(exchanges).where(exchanges.c.purchase_id.in_(ids)).values(request="", response="")
    )


def _forget_terms(connection: Connection, ids: Sequence[str]) -> None:
    """By term and purchase, which is the table's key."""
    columns = (_C.id, _C.customer_name, _C.customer_email, _C.customer_msisdn, _C.search_text)
    rows = [
        {"its_term": term, "its_purchase": id_}
        for id_, name, mail, phone, written in connection.execute(select(*columns).where(_C.id.in_(ids)))
        for term in {*search.terms(name, mail, phone), *written.split(" ")}
    ]
    terms = search_terms.c
    connection.execute(
        delete(search_terms).where(
            terms.term == bindparam("its_term"), terms.purchase_id == bindparam("its_purchase")
        ),
        rows,
    )
