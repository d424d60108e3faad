"""What products may be beside each other: bundles do not nest, and share the currency of their parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.product import Product, ProductChange


@dataclass(frozen=True, slots=True)
class _Entry:
    """What these rules look at: the currency, and the tokens of the parts."""

    currency: str
    parts: tuple[str, ...]


def conflicts(before: Mapping[str, Product], changes: Iterable[ProductChange]) -> dict[str, dict[str, str]]:
    """What speaks against making all ``changes`` together, by token and field.

    Args:
        before: the products that exist among the changed ones, their parts, and the bundles they are part of.
    """
    changes = list(changes)
    after = {token: _entry(product) for token, product in before.items()}
    after |= {change.token: _entry(change) for change in changes}
    users = _users(after)
    found = {
        change.token: _as_bundle(change, before.get(change.token), after)
        | _as_part(change, users[change.token], after)
        for change in changes
    }
    return {token: fields for token, fields in found.items() if fields}


def _entry(product: Product | ProductChange) -> _Entry:
    return _Entry(product.price.currency, tuple(part.token for part in product.bundle))


def _users(entries: Mapping[str, _Entry]) -> defaultdict[str, list[str]]:
    """The bundles that each product is a part of."""
    users: defaultdict[str, list[str]] = defaultdict(list)
    for token, entry in entries.items():
        for part in entry.parts:
            users[part].append(token)
    return users


def _as_bundle(change: ProductChange, before: Product | None, after: Mapping[str, _Entry]) -> dict[str, str]:
    if not change.bundle:
        return {}
    found = {}
    wrong = _wrong_part(change, after) or _has_stock(before)
    if wrong:
        found["bundle"] = wrong
    makes = before.on_hand if before is not None and before.bundle else None
    if change.on_hand not in (None, makes):
        found["on_hand"] = "is not kept for a bundle: change the stock of its parts"
    return found


def _wrong_part(change: ProductChange, after: Mapping[str, _Entry]) -> str:
    for token, _ in change.bundle:
        part = after.get(token)
        if part is None:
            return f"contains {token}, but there is no such product"
        if part.parts:
            return f"contains {token}, which is a bundle itself"
        if part.currency != change.price.currency:
            return f"contains {token}, which is priced in {part.currency}"
    return ""


def _has_stock(before: Product | None) -> str:
    """A product that is kept in stock cannot lose that stock by becoming a bundle."""
    if before is None or before.bundle or not (before.on_hand or before.reserved):
        return ""
    return (
        f"is not possible while {before.on_hand} are on hand and {before.reserved} reserved: "
        "bring its stock to 0 first"
    )


def _as_part(change: ProductChange, users: Iterable[str], after: Mapping[str, _Entry]) -> dict[str, str]:
    for user in users:
        if change.bundle:
            return {"bundle": f"is not possible for a part of {user}: bundles do not nest"}
        if after[user].currency != change.price.currency:
            return {"price": f"should be in {after[user].currency}, as that of {user}, which it is a part of"}
    return {}
