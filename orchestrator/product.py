"""A product or bundle, as it is sold and as somebody wants it to be, and the limits that it keeps.

=========  ==========================================================================================
field      limit
=========  ==========================================================================================
token      1 to 64 letters ``A-Z a-z``, digits, ``.``, ``_``, ``-`` (facts, createPurchase)
title      1 to 200 characters, no control characters
price      more than 0, at most 99 999 999 999, no more decimals than its currency has (ISO 4217)
tax_rate   percent, 0 to 100, up to four decimals
sku        up to 64 characters, no control characters; may be left out
ean        8 to 14 digits; may be left out
on_hand    0 to 1 000 000 000; a bundle has none of its own
bundle     up to 50 different parts, 1 to 1 000 000 of each, in the bundle's currency, no bundle among them
=========  ==========================================================================================

Space at the ends of texts is not kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from orchestrator.errors import OrchestratorError
from orchestrator.money import Money

TOKEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
LONGEST_TITLE = 200
LONGEST_SKU = 64
HIGHEST_TAX_RATE = 100
TAX_RATE_UNIT = Decimal("0.0001")
LARGEST_STOCK = 1_000_000_000
MOST_PARTS = 50
LARGEST_QUANTITY = 1_000_000
_EAN = re.compile(r"[0-9]{8,14}")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of characters."""


class CatalogueError(OrchestratorError):
    """A product or bundle cannot be kept like that.

    Attributes:
        by_token: for each product refused, what is wrong with it, by field.
    """

    code = "invalid_product"

    def __init__(self, by_token: Mapping[str, Mapping[str, str]]) -> None:
        self.by_token = {token: dict(fields) for token, fields in by_token.items()}
        super().__init__(
            " ".join(
                f"Product {token[:64]}: {field} {problem}."
                for token, fields in self.by_token.items()
                for field, problem in fields.items()
            )
        )

    @property
    def fields(self) -> dict[str, str]:
        """What is wrong with the (first) product, by field."""
        return next(iter(self.by_token.values()))


class ProductUnknown(OrchestratorError):
    """There is no product with that token."""

    code = "product_unknown"


class ProductEdited(OrchestratorError):
    """Somebody else edited the product meanwhile: look at what was changed, and decide again."""

    code = "product_edited"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bundle: how many of a product."""

    token: str
    title: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Product:
    """A product, or a bundle when it has parts.

    ``on_hand``, ``reserved`` and ``available`` of a bundle tell how many whole bundles its parts make.
    ``tax_rate`` is in percent. ``revision`` counts the edits of the catalogue; stock does not raise it.
    """

    token: str
    title: str
    price: Money
    tax_rate: Decimal
    sku: str | None
    ean: str | None
    for_sale: bool
    bundle: tuple[Part, ...]
    on_hand: int
    reserved: int
    available: int
    revision: int = 0


class Piece(NamedTuple):
    """A part as it is asked for: so many of the product with that token."""

    token: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ProductChange:
    """What a product should be. ``on_hand`` and ``for_sale`` of None stay as they are; a new product then has
    nothing on hand and is for sale."""

    token: str
    title: str
    price: Money
    tax_rate: Decimal
    sku: str | None = None
    ean: str | None = None
    on_hand: int | None = None
    for_sale: bool | None = None
    bundle: tuple[Piece, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", self.title.strip())
        object.__setattr__(self, "sku", (self.sku or "").strip() or None)
        object.__setattr__(self, "ean", (self.ean or "").strip() or None)


def problems(change: ProductChange) -> dict[str, str]:
    """What is wrong with a product by itself, by field; empty when nothing is."""
    found = {
        "token": _token(change.token),
        "title": _text(change.title, LONGEST_TITLE) if change.title else "is empty",
        "price": "" if change.price.value > 0 else "should be more than 0",
        "tax_rate": _tax_rate(change.tax_rate),
        "sku": _text(change.sku or "", LONGEST_SKU),
        "ean": "" if change.ean is None or _EAN.fullmatch(change.ean) else "should be 8 to 14 digits",
        "on_hand": _within(change.on_hand or 0, 0, LARGEST_STOCK),
        "bundle": _pieces(change),
    }
    return {field: problem for field, problem in found.items() if problem}


def plain(number: Decimal) -> Decimal:
    """The same number without zeros at its end: 25, 12.5."""
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()


def _token(token: str) -> str:
    return "" if TOKEN.fullmatch(token) else "should be 1 to 64 letters, digits, '.', '_' or '-'"


def _text(text: str, longest: int) -> str:
    if len(text) > longest:
        return f"has {len(text)} characters, at most {longest} fit"
    if _UNPRINTABLE.search(text):
        return "contains a control character"
    return ""


def _tax_rate(rate: Decimal) -> str:
    if not rate.is_finite() or not 0 <= rate <= HIGHEST_TAX_RATE:
        return f"should be 0 to {HIGHEST_TAX_RATE} percent"
    return "" if rate == rate.quantize(TAX_RATE_UNIT) else "has more than 4 decimals"


def _within(number: int, lowest: int, highest: int) -> str:
    return "" if lowest <= number <= highest else f"should be {lowest} to {highest}"


def _pieces(change: ProductChange) -> str:
    if len(change.bundle) > MOST_PARTS:
        return f"has {len(change.bundle)} parts, at most {MOST_PARTS} are possible"
    seen: set[str] = set()
    for token, quantity in change.bundle:
        wrong = _token(token) or _within(quantity, 1, LARGEST_QUANTITY)
        if wrong:
            return f"part {token[:64]!r} {wrong}"
        if token == change.token:
            return "contains itself"
        if token in seen:
            return f"names part {token} twice"
        seen.add(token)
    return ""
