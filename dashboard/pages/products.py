"""What is for sale, and how much of it there is."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.answer import onward, page
from dashboard.desk import Desk, Visit, clean
from dashboard.queries.products import Movement, read_movements
from orchestrator import qr, stock
from orchestrator.catalogue import find, list_products
from orchestrator.identity import now
from orchestrator.product import Product

LOW = 5
"""So few left, or fewer, are marked."""

LONGEST_REASON = 200
_MOST_DIGITS = 10


def routes(desk: Desk) -> list[BaseRoute]:
    return [
        guard.page(desk, "/products", show_products),
        guard.page(desk, "/products/{token}", show_product),
        guard.form(desk, "/products/{token}/stock", receive_stock),
    ]


async def show_products(visit: Visit) -> Response:
    products = await visit.desk.parts.database.read(list_products)
    return page(visit, "products/list.html", products=products, low=LOW)


async def show_product(visit: Visit) -> Response:
    return await _show(visit)


async def receive_stock(visit: Visit) -> Response:
    """Add what was delivered, or take away what was lost."""
    token = visit.part("token")
    change, reason = visit.fields.get("change", ""), clean(visit.fields.get("reason", ""))
    problem = _problem(change, reason)
    if problem:
        return await _show(visit, problem, 422)
    number = int(change)
    try:
        await visit.desk.parts.database.write(stock.receive, token, number, reason, visit.actor, now())
    except stock.StockError as error:
        return await _show(visit, error.message, 422)
    verb = "received" if number > 0 else "removed"
    return onward(visit, f"/products/{token}", f"{abs(number)} {verb}: {reason}.")


def _problem(change: str, reason: str) -> str:
    """What is wrong with the form, in words; empty when nothing is."""
    digits = change.strip().removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS and int(digits)):
        return "How many? A whole number other than 0; below 0 to take some away."
    if not 0 < len(reason) <= LONGEST_REASON:
        return f"Say why, in up to {LONGEST_REASON} characters: a delivery, a breakage, a count."
    return ""


async def _show(visit: Visit, problem: str = "", status: int = 200) -> Response:
    product, movements = await visit.desk.parts.database.read(_read, visit.part("token"))
    if product is None:
        raise HTTPException(404, "There is no product with that token.")
    settings = visit.desk.parts.settings
    return page(
        visit,
        "products/product.html",
        status,
        product=product,
        movements=movements,
        low=LOW,
        problem=problem,
        fields=visit.fields,
        scan_link=qr.seqr_link(qr.content(settings, product.token)),
        public_url=settings.public_url,
        webshop_id=settings.webshop_id,
    )


def _read(connection: Connection, token: str) -> tuple[Product | None, list[Movement]]:
    return find(connection, token), read_movements(connection, token)
