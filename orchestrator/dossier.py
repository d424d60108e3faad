"""The dossier: all that is kept of one customer, as JSON for whoever asks what a shop knows of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, select

from orchestrator import audit, customer, purchase_queries
from orchestrator.customer import Wanted
from orchestrator.errors import OrchestratorError
from orchestrator.pricing import Line, read_lines
from orchestrator.purchase_queries import PurchaseRecord
from orchestrator.rest.representation import amount, instant, purchase
from orchestrator.stamp import Stamp
from orchestrator.tables import exchanges, invoice_attempts, journal, outbox

Json = dict[str, Any]


class NobodyKnown(OrchestratorError):
    """No purchase has that phone number or mail address. It may have been erased already."""

    code = "nobody_known"


def export(connection: Connection, wanted: Wanted, shop: str, stamp: Stamp, address: str = "") -> Json:
    """All purchases of the customer with what belongs to them; who took it along is written down.

    People of the shop are not named in it.

    Raises:
        NobodyKnown: there is nothing.
    """
    holdings = customer.read(connection, wanted)
    if not holdings.number:
        raise NobodyKnown
    ids = sorted(holding.id for holding in (*holdings.erasable, *holdings.left))
    audit.record(connection, stamp, "customer.export", "", f"{len(ids)} exported", address)
    return {
        "shop": shop,
        "exported_at": instant(stamp.at),
        "asked_for": {"phone": wanted.phone or None, "email": wanted.email or None},
        "purchases": [_whole(connection, record) for record in purchase_queries.records(connection, ids)],
    }


def _whole(connection: Connection, record: PurchaseRecord) -> Json:
    lines = read_lines(connection, record.id, record.amount.currency)
    return {
        **purchase(record),
        "lines": [_line(line) for line in lines],
        "invoices": [_invoice(row) for row in _rows(connection, invoice_attempts, record.id)],
        "history": [_step(row) for row in _rows(connection, journal, record.id)],
        "mails": [_mail(row) for row in _rows(connection, outbox, record.id)],
        "seqr_answers": [_answer(row) for row in _rows(connection, exchanges, record.id)],
    }


def _rows(connection: Connection, table: Any, purchase_id: str) -> list[RowMapping]:
    statement = select(table).where(table.c.purchase_id == purchase_id).order_by(table.c.id)
    return list(connection.execute(statement).mappings())


def _line(line: Line) -> Json:
    return {"title": line.title, "quantity": line.quantity, "total": amount(line.total)}


def _invoice(row: RowMapping) -> Json:
    return {"reference": row["reference"], "state": row["state"], "sent_at": instant(row["sent_at"])}


def _step(row: RowMapping) -> Json:
    by = str(row["actor"]).partition(":")[0]
    return {"at": instant(row["at"]), "state": row["target"], "by": by, "detail": row["detail"]}


def _mail(row: RowMapping) -> Json:
    sent = row["sent_at"] and instant(row["sent_at"])
    facts = {name: row[name] for name in ("kind", "state", "recipient", "subject")}
    return {**facts, "text": row["text_body"], "written_at": instant(row["created_at"]), "sent_at": sent}


def _answer(row: RowMapping) -> Json:
    return {"at": instant(row["started_at"]), "operation": row["operation"], "answer": row["response"]}
