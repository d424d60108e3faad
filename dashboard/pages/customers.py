"""One customer on request: what is kept of them, to take along as JSON, and erasing it. For admins.

Whom somebody looks for is sent in a form, not in an address: addresses are kept by browsers and proxies.
"""

from __future__ import annotations

import json

from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboard import guard
from dashboard.answer import onward, page
from dashboard.desk import Desk, Visit, clean
from dashboard.language import mark
from orchestrator import customer, dossier
from orchestrator.customer import Hindrance, Holdings, HoldingsChanged, NobodyNamed, Wanted
from orchestrator.dossier import NobodyKnown
from orchestrator.users import Role

HERE = "/system/customers"
LONGEST = 254
SHOWN = 100
"""Of the purchases that were found, so many are listed; all are counted, exported and erased."""

_NOBODY_NAMED = mark("Say who: a phone number of at least 7 digits, a mail address, or both.")
_NOBODY_KNOWN = mark("No purchase has that phone number or mail address. It may have been erased already.")
_CHANGED = mark("The purchases have changed since you looked, so nothing was erased. Look again, then erase.")
HINDRANCES = {
    Hindrance.OPEN: mark("not finished yet"),
    Hindrance.ATTENTION: mark("needs attention"),
    Hindrance.ASKED: mark("SEQR is still asked about it"),
    Hindrance.MAIL: mark("a mail has not gone out yet"),
}


def routes(desk: Desk) -> list[BaseRoute]:
    return [
        guard.page(desk, HERE, show, needs=Role.ADMIN),
        guard.form(desk, HERE, look, needs=Role.ADMIN),
        guard.form(desk, f"{HERE}/export", export, needs=Role.ADMIN),
        guard.form(desk, f"{HERE}/erase", erase, needs=Role.ADMIN),
    ]


async def show(visit: Visit) -> Response:
    return _drawn(visit, None)


async def look(visit: Visit) -> Response:
    """What is kept of the customer, and what of it would be erased."""
    try:
        wanted = _wanted(visit)
    except NobodyNamed:
        return _drawn(visit, None, visit.gettext(_NOBODY_NAMED), 422)
    found = await visit.desk.parts.database.read(customer.read, wanted)
    if not found.number:
        return _drawn(visit, None, visit.gettext(_NOBODY_KNOWN), 404)
    return _drawn(visit, found)


async def export(visit: Visit) -> Response:
    """The file, named by the day only."""
    parts, stamp = visit.desk.parts, visit.stamp
    try:
        told = await parts.database.write(
            dossier.export, _wanted(visit), parts.settings.shop_name, stamp, visit.address
        )
    except NobodyNamed:
        return _drawn(visit, None, visit.gettext(_NOBODY_NAMED), 422)
    except NobodyKnown:
        return _drawn(visit, None, visit.gettext(_NOBODY_KNOWN), 404)
    name = f"customer-{parts.settings.webshop_id}-{stamp.at.astimezone(visit.words.zone):%Y-%m-%d}.json"
    return Response(
        json.dumps(told, ensure_ascii=False, indent=2) + "\n",
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def erase(visit: Visit) -> Response:
    """Erase what was looked at, and nothing that has come since; a second click finds nothing."""
    database, seen = visit.desk.parts.database, visit.fields.get("seen", "")
    try:
        wanted = _wanted(visit)
    except NobodyNamed:
        return _drawn(visit, None, visit.gettext(_NOBODY_NAMED), 422)
    try:
        found = await database.write(customer.erase, wanted, visit.stamp, visit.address, seen)
    except HoldingsChanged:
        left = await database.read(customer.read, wanted)
        return _drawn(visit, left if left.number else None, visit.gettext(_CHANGED), 409)
    erased = visit.ngettext(
        "The customer of %(num)s purchase is erased.",
        "The customer of %(num)s purchases is erased.",
        len(found.erasable),
    )
    if not found.left:
        return onward(visit, HERE, erased)
    kept = visit.ngettext(
        "%(num)s purchase still tells of the customer: erase again when it is finished.",
        "%(num)s purchases still tell of the customer: erase again when they are finished.",
        len(found.left),
    )
    return onward(visit, HERE, f"{erased} {kept}", "bad")


def _wanted(visit: Visit) -> Wanted:
    """Raises NobodyNamed."""
    return Wanted(*(clean(visit.fields.get(name, ""))[:LONGEST] for name in ("phone", "email")))


def _drawn(visit: Visit, found: Holdings | None, problem: str = "", status: int = 200) -> Response:
    return page(
        visit,
        "people/customers.html",
        status,
        found=found,
        problem=problem,
        fields=visit.fields,
        hindrances=HINDRANCES,
        longest=LONGEST,
        most=SHOWN,
        days=visit.desk.parts.settings.customer_retention_days,
    )
