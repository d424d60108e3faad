"""A product as somebody writes it in a form: read from the form, and joined with what others changed.

The fields have the names of a product file's columns and follow the same rules. The form also carries each
field as it was when it was drawn (``was-FIELD``), so that it can be told who changed what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orchestrator.catalogue_cells import CellReader, fields_of
from orchestrator.product import MOST_PARTS, Product, ProductChange

TYPED = ("token", "title", "price", "currency", "tax_rate", "sku", "ean", "on_hand", "for_sale")
KEPT = (*TYPED[1:7], "for_sale", "bundle")
"""What an edit may change."""

_LONGEST = 300
"""Characters of a field that are looked at; more than any may have, so that its limit is told."""


@dataclass(frozen=True, slots=True)
class PartRow:
    """One row of the bundle's parts, as typed."""

    token: str = ""
    quantity: str = ""

    @property
    def empty(self) -> bool:
        return not (self.token or self.quantity)


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form: the fields by column, and the rows of parts."""

    fields: Mapping[str, str]
    parts: tuple[PartRow, ...] = ()

    @property
    def bundle(self) -> str:
        """The parts as a product file has them."""
        return ";".join(f"{row.token}:{row.quantity}" for row in self.parts if not row.empty)

    def with_rows(self, asked: str) -> Draft:
        """After ``add`` of a row, or ``drop-3`` of the third."""
        rows = list(self.parts)
        if asked == "add" and len(rows) < MOST_PARTS:
            rows.append(PartRow())
        dropped = {f"drop-{number}": number for number in range(1, len(rows) + 1)}.get(asked)
        if dropped:
            del rows[dropped - 1]
        return replace(self, parts=tuple(rows))


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that somebody else changed meanwhile. ``mine`` is what was typed, empty where it was left."""

    field: str
    was: str
    now: str
    mine: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a draft asks for, and what is wrong with it by field: then it must not be written."""

    change: ProductChange
    problems: dict[str, str] = field(default_factory=dict)


def draft_of(product: Product) -> Draft:
    """A product as the form shows it."""
    parts = tuple(PartRow(part.token, str(part.quantity)) for part in product.bundle)
    return Draft(fields_of(product), parts)


def sent(fields: Mapping[str, str]) -> Draft:
    """What was sent with a form."""
    typed = {name: fields.get(name, "").strip()[:_LONGEST] for name in TYPED}
    typed["for_sale"] = "yes" if typed["for_sale"] else "no"
    numbers = sorted(
        int(number)
        for name in fields
        if (number := name.removeprefix("part-")) != name and number.isascii() and number.isdigit()
    )
    rows = (
        PartRow(
            fields[f"part-{number}"].strip()[:_LONGEST], fields.get(f"quantity-{number}", "").strip()[:20]
        )
        for number in numbers[:MOST_PARTS]
    )
    return Draft(typed, tuple(rows))


def wish_of(draft: Draft) -> Wish:
    """Read a draft by the rules of a product file; a decimal comma and spaces in numbers are understood."""
    cells = dict(draft.fields)
    for name in ("price", "tax_rate"):
        cells[name] = "".join(cells[name].split())
    cells["currency"] = cells["currency"].upper()
    reader = CellReader({**cells, "bundle": draft.bundle}, decimal_comma=True)
    change = reader.change()
    wrong = _wrong_row(draft)
    return Wish(change, reader.wrong | ({"bundle": wrong} if wrong else {}))


def _wrong_row(draft: Draft) -> str:
    for number, row in enumerate(draft.parts, start=1):
        if not row.empty and not row.token:
            return f"names no product in row {number}"
        if not row.empty and not (row.quantity.isascii() and row.quantity.isdigit()):
            return f"needs a whole number of {row.token}"
    return ""


def clashes(was: Mapping[str, str], product: Product, draft: Draft) -> list[Clash]:
    """What others changed since the form was drawn; ``was`` has the fields as they were then."""
    now = fields_of(product)
    typed = _typed(draft)
    return [
        Clash(name, was[name], now[name], typed[name] if typed[name] != was[name] else "")
        for name in KEPT
        if name in was and now[name] != was[name]
    ]


def joined(was: Mapping[str, str], product: Product, draft: Draft) -> Draft:
    """The draft on top of the product as it is now: what was left untouched is as others made it."""
    current, typed = draft_of(product), _typed(draft)
    fields = {
        name: current.fields[name] if typed.get(name) == was.get(name) else value
        for name, value in draft.fields.items()
    }
    parts = current.parts if typed["bundle"] == was.get("bundle") else draft.parts
    return Draft(fields, parts)


def _typed(draft: Draft) -> dict[str, str]:
    return {**draft.fields, "bundle": draft.bundle}
