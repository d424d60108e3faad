"""Adding and editing a product, under the rules that a product file and the REST interface keep."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.answer import onward, page
from dashboard.desk import Desk, Visit
from dashboard.language import mark
from dashboard.product_draft import KEPT, Draft, PartRow, clashes, draft_of, joined, sent, wish_of
from dashboard.queries.products import suggestions
from dashboard.streams.event import number
from orchestrator import shopkeeper
from orchestrator.catalogue import CatalogueError, Product, ProductEdited, ProductUnknown, find
from orchestrator.catalogue_differences import Difference
from orchestrator.product import MOST_PARTS, TOKEN
from orchestrator.users import Role

_MOST_FIELDS = 2 * MOST_PARTS + 32
_MOST_SUGGESTIONS = 500
"""With more products than that a bundle's parts are typed without help: the list would not fit on a page."""

_GONE = mark("There is no product with that token.")
FIELD_NAMES = {
    "token": mark("Token"),
    "title": mark("Title"),
    "price": mark("Price"),
    "currency": mark("Currency"),
    "tax_rate": mark("Tax rate"),
    "sku": mark("SKU"),
    "ean": mark("EAN"),
    "on_hand": mark("On hand"),
    "for_sale": mark("For sale"),
    "bundle": mark("Parts"),
}


def routes(desk: Desk) -> list[BaseRoute]:
    read = partial(guard.read_form, most=_MOST_FIELDS)
    edit = "/products/{token}/edit"
    return [
        guard.page(desk, "/catalogue/new", new_product, needs=Role.OPERATOR),
        guard.form(desk, "/catalogue/new", add_product, read=read),
        guard.page(desk, edit, edit_product, needs=Role.OPERATOR),
        guard.form(desk, edit, save_product, read=read),
    ]


async def new_product(visit: Visit) -> Response:
    """An empty form; ``?bundle=1`` for one with rows for parts."""
    settings = visit.desk.parts.settings
    fields = dict.fromkeys(FIELD_NAMES, "")
    fields |= {"currency": settings.currency, "for_sale": "yes"}
    rows = (PartRow(), PartRow()) if visit.asked("bundle") else ()
    return await _show(visit, None, Draft(fields, rows))


async def add_product(visit: Visit) -> Response:
    draft = sent(visit.fields)
    if asked := visit.fields.get("rows"):
        return await _show(visit, None, draft.with_rows(asked))
    wish = wish_of(draft)
    if wish.problems:
        return await _show(visit, None, draft, problems=wish.problems, status=422)
    try:
        await visit.desk.parts.database.write(shopkeeper.add, wish.change, visit.stamp, visit.address)
    except CatalogueError as error:
        return await _show(visit, None, draft, problems=error.fields, status=422)
    message = visit.gettext("%(title)s is added. Its QR code is on this page.", title=wish.change.title)
    return onward(visit, f"/products/{wish.change.token}", message)


async def edit_product(visit: Visit) -> Response:
    product = await _product(visit)
    return await _show(visit, product, draft_of(product))


async def save_product(visit: Visit) -> Response:
    """Write an edit; what somebody else changed meanwhile is shown instead of being overwritten."""
    product, draft = await _product(visit), sent({**visit.fields, "token": visit.part("token")})
    draft = Draft({**draft.fields, "on_hand": ""}, draft.parts)
    if asked := visit.fields.get("rows"):
        return await _show(visit, product, draft.with_rows(asked), seen=True)
    wish = wish_of(draft)
    if wish.problems:
        return await _show(visit, product, draft, seen=True, problems=wish.problems, status=422)
    revision = number(visit.fields.get("revision", ""))
    try:
        edits = await visit.desk.parts.database.write(
            shopkeeper.edit, wish.change, revision, visit.stamp, visit.address
        )
    except ProductUnknown:
        raise HTTPException(404, _GONE) from None
    except ProductEdited:
        return await _edited_meanwhile(visit, draft)
    except CatalogueError as error:
        return await _show(visit, product, draft, seen=True, problems=error.fields, status=422)
    return onward(visit, f"/products/{product.token}", _saved(visit, edits))


async def _edited_meanwhile(visit: Visit, draft: Draft) -> Response:
    """Both: what the other one changed, and what was typed, which is kept where both changed a field."""
    product, was = await _product(visit), _was(visit.fields)
    return await _show(
        visit, product, joined(was, product, draft), clashed=clashes(was, product, draft), status=409
    )


def _was(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: fields[f"was-{name}"] for name in KEPT if f"was-{name}" in fields}


def _saved(visit: Visit, edits: tuple[Difference, ...]) -> str:
    if not edits:
        return visit.gettext("Saved. Nothing was different from before.")
    names = ", ".join(visit.gettext(FIELD_NAMES[edit.field]) for edit in edits)
    told = [visit.gettext("Saved: %(fields)s.", fields=names)]
    if any(edit.field in ("price", "currency") for edit in edits):
        told.append(visit.gettext("Purchases that exist already keep the price that they were made at."))
    return " ".join(told)


async def _product(visit: Visit) -> Product:
    token = visit.part("token")
    product = await visit.desk.parts.database.read(find, token) if TOKEN.fullmatch(token) else None
    if product is None:
        raise HTTPException(404, _GONE)
    return product


async def _show(
    visit: Visit,
    product: Product | None,
    draft: Draft,
    *,
    seen: bool = False,
    status: int = 200,
    problems: Mapping[str, str] | None = None,
    clashed: Any = (),
) -> Response:
    """The form. ``seen`` keeps the revision and the old fields that it came with."""
    titles = await visit.desk.parts.database.read(_titles)
    was, revision = (draft_of(product), product.revision) if product else (None, 0)
    before = {name: was.bundle if name == "bundle" else was.fields[name] for name in KEPT} if was else {}
    if seen:
        before, revision = before | _was(visit.fields), number(visit.fields.get("revision", ""))
    return page(
        visit,
        "products/form.html",
        status,
        product=product,
        draft=draft,
        was=before,
        revision=revision,
        problems=problems or {},
        clashed=clashed,
        names=FIELD_NAMES,
        titles=titles,
        most_parts=MOST_PARTS,
    )


def _titles(connection: Connection) -> dict[str, str]:
    return dict(suggestions(connection, _MOST_SUGGESTIONS))
