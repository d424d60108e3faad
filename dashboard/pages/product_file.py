"""The catalogue as a file: out, and in with a preview that writes nothing.

Between preview and confirmation the file is kept in the page, not on the server: nothing has to be cleaned
up, any process can answer, and what is confirmed is what the person has before him.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.answer import onward, page
from dashboard.desk import Desk, Visit
from dashboard.pages.product_form import FIELD_NAMES
from dashboard.upload import content, read_upload
from orchestrator import catalogue_csv, shopkeeper
from orchestrator.catalogue import list_products
from orchestrator.catalogue_cells import COLUMNS
from orchestrator.catalogue_csv import Reading, WrongFile
from orchestrator.catalogue_import import Preview, PreviewOutdated, preview
from orchestrator.users import Role

LARGEST_FILE = 1_000_000
"""Bytes: the page carries the file. The command line takes larger ones."""
MOST_ROWS = 10_000
MOST_SHOWN = 200
"""Lines of each kind that a preview lists; it counts them all."""


def routes(desk: Desk) -> list[BaseRoute]:
    return [
        guard.page(desk, "/catalogue/export.csv", export_products),
        guard.page(desk, "/catalogue/import", choose_file, needs=Role.OPERATOR),
        guard.form(desk, "/catalogue/import", preview_file, read=read_upload),
        guard.form(desk, "/catalogue/import/confirm", import_file, read=read_upload),
    ]


async def export_products(visit: Visit) -> Response:
    """All products, in a file that can be imported again."""
    products = await visit.desk.parts.database.read(list_products)
    headers = {"Content-Disposition": 'attachment; filename="products.csv"'}
    return Response(catalogue_csv.export(products), media_type="text/csv; charset=utf-8", headers=headers)


async def choose_file(visit: Visit) -> Response:
    return _ask(visit)


async def preview_file(visit: Visit) -> Response:
    """What the file would do, and what is wrong with it. Nothing is written."""
    text = visit.fields.get("file") or visit.fields.get("text", "")
    if not text.strip():
        return _ask(visit, visit.gettext("Choose a file, or paste its text."), status=422)
    return await _preview(visit, text)


async def import_file(visit: Visit) -> Response:
    """Write what was previewed, or show what the file would do by now."""
    text = visit.fields.get("text", "")
    try:
        reading = _read(text)
        if reading.problems:
            raise PreviewOutdated
        done = await visit.desk.parts.database.write(
            shopkeeper.import_file,
            reading.records,
            visit.fields.get("fingerprint", ""),
            visit.stamp,
            visit.address,
        )
    except (WrongFile, PreviewOutdated):
        return await _preview(visit, text, outdated=True)
    return onward(visit, "/products", _imported(visit, done))


def _read(text: str) -> Reading:
    return catalogue_csv.read(content(text), largest=LARGEST_FILE, most_rows=MOST_ROWS)


async def _preview(visit: Visit, text: str, *, outdated: bool = False) -> Response:
    try:
        reading = _read(text)
    except WrongFile as error:
        return _ask(visit, "\n".join(error.problems), text, status=422)
    found = await visit.desk.parts.database.read(preview, reading)
    return page(
        visit,
        "products/preview.html",
        409 if outdated else 422 if found.wrong else 200,
        found=found,
        outdated=outdated,
        text=text,
        names=FIELD_NAMES,
        most=MOST_SHOWN,
    )


def _imported(visit: Visit, done: Preview) -> str:
    added = visit.ngettext("%(num)s product added", "%(num)s products added", len(done.added))
    changed = visit.ngettext("%(num)s changed", "%(num)s changed", len(done.changed))
    return visit.gettext("The file is imported: %(added)s, %(changed)s.", added=added, changed=changed)


def _ask(visit: Visit, problem: str = "", text: str = "", status: int = 200) -> Response:
    return page(
        visit,
        "products/import.html",
        status,
        problem=problem,
        text="" if visit.fields.get("file") else text,
        columns=COLUMNS,
        largest=LARGEST_FILE,
        most=MOST_ROWS,
    )
