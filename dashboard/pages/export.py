"""The list as a file: every purchase that the filter lets through, a thousand at a time.

Nothing is held while a slow reader takes his time: each thousand is a short read of its own, by key, so the
memory it takes does not depend on how many there are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.desk import Desk, Visit
from dashboard.filter import address, parse
from orchestrator import audit, listing, purchase_queries, search
from orchestrator.listing import Place
from orchestrator.purchase_queries import PurchaseRecord
from orchestrator.selection import Filter
from orchestrator.stamp import Stamp
from orchestrator.users import Role

CHUNK = 1_000
"""Purchases that are read and sent together."""
COLUMNS = (
    *("id", "created_at", "state", "reason", "attention", "product", "title", "amount", "currency"),
    *("name", "email", "phone", "street", "zip", "city", "region", "country"),
    *("invoice_reference", "ers_reference", "updated_at"),
)

_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Says to spreadsheets that the file is UTF-8."""
_FORMULA = re.compile(r"(^|[;\t\r\n])(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a formula may begin, in letters of either width. Where ``;`` is what stands between cells, as in
Sweden, a spreadsheet also takes apart there what a customer wrote."""


def routes(desk: Desk) -> list[BaseRoute]:
    return [guard.page(desk, "/purchases.csv", export, needs=Role.OPERATOR)]


async def export(visit: Visit) -> Response:
    """For operators and admins: it takes customers' addresses along. It is written down who did."""
    which = parse(visit).filter
    settings, at = visit.desk.parts.settings, visit.stamp.at.astimezone(visit.words.zone)
    selection = search.untelling(address(which, visit.words.zone))
    await visit.desk.parts.database.write(_record, visit.stamp, selection, visit.address)
    name = f"purchases-{settings.webshop_id}-{at:%Y-%m-%d}.csv"
    return StreamingResponse(
        _lines(visit, which),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _record(connection: Connection, stamp: Stamp, selection: str, origin: str) -> None:
    audit.record(connection, stamp, "purchase.export", "purchases", selection, origin)


async def _lines(visit: Visit, which: Filter) -> AsyncIterator[str]:
    yield _MARK + as_csv([COLUMNS])
    place: Place | None = None
    while True:
        records, more = await visit.desk.parts.database.read(_read, which, place)
        yield as_csv(_cells(visit, record) for record in records)
        if not more:
            return
        place = Place(records[-1].id)


def _read(connection: Connection, which: Filter, place: Place | None) -> tuple[list[PurchaseRecord], bool]:
    found = listing.page(connection, which, CHUNK, place)
    return purchase_queries.records(connection, found.ids), found.more


def _cells(visit: Visit, record: PurchaseRecord) -> list[str]:
    customer = record.customer

    def local(at: datetime) -> str:
        return f"{at.astimezone(visit.words.zone):%Y-%m-%d %H:%M:%S}"

    return [
        record.id,
        local(record.created_at),
        record.state,
        record.reason or "",
        record.attention or "",
        record.purchase_token,
        record.title,
        str(record.amount.value),
        record.amount.currency,
        customer.name,
        customer.email,
        customer.msisdn,
        customer.street,
        customer.zip,
        customer.city,
        customer.state,
        customer.country,
        record.invoice_reference or "",
        record.ers_reference or "",
        local(record.updated_at),
    ]


def as_csv(rows: Iterable[Iterable[str]]) -> str:
    """Lines of a CSV file. What a spreadsheet would take for a formula gets an apostrophe in front."""
    text = io.StringIO()
    csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def harmless(cell: str) -> str:
    """The cell as text, whatever a customer wrote into it."""
    return _FORMULA.sub(r"\1'", cell)
