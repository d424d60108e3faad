"""What a change would make of a product, field by field, in the texts of a product file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.catalogue_cells import COLUMNS, fields_of
from orchestrator.product import Product, ProductChange, plain


@dataclass(frozen=True, slots=True)
class Difference:
    """One field, by the name of its column, as it is and as it would be; a new product's is empty before."""

    field: str
    old: str
    new: str


def differences(before: Product | None, change: ProductChange) -> tuple[Difference, ...]:
    """The fields that the change edits, in the columns' order; for a new product all that are not empty."""
    old = fields_of(before) if before is not None else dict.fromkeys(COLUMNS, "")
    new = _after(old, change)
    return tuple(Difference(name, old[name], new[name]) for name in COLUMNS if new[name] != old[name])


def in_words(edits: Iterable[Difference]) -> str:
    """``title: Mug → Mug, blue; price: 149.00 → 159.00``"""
    return "; ".join(f"{edit.field}: {edit.old or '–'} → {edit.new or '–'}" for edit in edits)


def _after(old: Mapping[str, str], change: ProductChange) -> dict[str, str]:
    for_sale = {None: old["for_sale"] or "yes", True: "yes", False: "no"}[change.for_sale]
    return {
        "token": change.token,
        "title": change.title,
        "price": str(change.price.value),
        "currency": change.price.currency,
        "tax_rate": f"{plain(change.tax_rate):f}",
        "sku": change.sku or "",
        "ean": change.ean or "",
        "on_hand": _on_hand(old, change),
        "for_sale": for_sale,
        "bundle": ";".join(f"{piece.token}:{piece.quantity}" for piece in change.bundle),
    }


def _on_hand(old: Mapping[str, str], change: ProductChange) -> str:
    """A bundle has none of its own; a product that was one begins with nothing."""
    if change.bundle or change.on_hand is None:
        return old["on_hand"]
    return old["on_hand"] if old["bundle"] and change.on_hand == 0 else str(change.on_hand)
