"""``/api/v1/products``: look at, make and change products, and book what comes into stock.

``PUT`` replaces the product, but ``on_hand`` and ``for_sale`` that are left out stay as they are. What
``GET`` answers may be sent back: ``reserved`` and ``available`` are read and not used.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Annotated, Any

import structlog
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
)
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from orchestrator import catalogue, shopkeeper
from orchestrator.identity import now
from orchestrator.money import Money, MoneyError
from orchestrator.parts import Parts
from orchestrator.product import (
    LARGEST_STOCK,
    TOKEN,
    CatalogueError,
    Piece,
    Product,
    ProductChange,
    ProductUnknown,
)
from orchestrator.rest import representation
from orchestrator.rest.auth import address_of, guarded
from orchestrator.rest.body import read_json
from orchestrator.rest.errors import Refusal, invalid
from orchestrator.stamp import Stamp

log = structlog.get_logger(__name__)

LONGEST_REASON = 200
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")


def _decimal(value: object) -> Decimal:
    """A decimal string, or a JSON number: Python writes that one as it was sent."""
    if isinstance(value, bool) or not _NUMBER.fullmatch(str(value)):
        raise ValueError('should be a decimal string such as "149.90"')
    return Decimal(str(value))


def _whole(value: object) -> object:
    """5.0 is 5: JSON has but one kind of number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _reason(value: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
        raise ValueError("contains a control character")
    if not value.strip():
        raise ValueError("is empty")
    return value.strip()


Number = Annotated[Decimal, BeforeValidator(_decimal)]
Whole = Annotated[StrictInt, BeforeValidator(_whole)]


class PriceBody(BaseModel):
    """An amount of money."""

    model_config = ConfigDict(extra="forbid")

    currency: Annotated[StrictStr, Field(max_length=3)]
    value: Number


class PieceBody(BaseModel):
    """A part of a bundle."""

    model_config = ConfigDict(extra="forbid")

    token: StrictStr
    quantity: Whole


class ProductBody(BaseModel):
    """What ``PUT`` takes. The limits are in ``orchestrator.product``."""

    model_config = ConfigDict(extra="forbid")

    token: StrictStr | None = None
    title: StrictStr
    price: PriceBody
    tax_rate: Number
    sku: StrictStr | None = None
    ean: StrictStr | None = None
    on_hand: Whole | None = None
    for_sale: StrictBool | None = None
    bundle: list[PieceBody] | None = None
    reserved: Any = None
    available: Any = None

    def change(self, token: str) -> ProductChange:
        """What it asks for. Raises Refusal 422."""
        if self.token not in (None, token):
            raise invalid({"token": "should be the one in the address"})
        try:
            price = Money(self.price.value, self.price.currency)
        except MoneyError as error:
            raise invalid({"price": error.message}) from None
        return ProductChange(
            token=token,
            title=self.title,
            price=price,
            tax_rate=self.tax_rate,
            sku=self.sku,
            ean=self.ean,
            on_hand=self.on_hand,
            for_sale=self.for_sale,
            bundle=tuple(Piece(piece.token, piece.quantity) for piece in self.bundle or ()),
        )


class StockBody(BaseModel):
    """What ``POST .../stock`` takes: how many came (or went), and why."""

    model_config = ConfigDict(extra="forbid")

    change: Annotated[Whole, Field(ge=-LARGEST_STOCK, le=LARGEST_STOCK)]
    reason: Annotated[StrictStr, Field(max_length=LONGEST_REASON), AfterValidator(_reason)]


async def list_products(parts: Parts, request: Request, actor: str) -> Response:
    """All products, by token."""
    found = await parts.database.read(catalogue.list_products)
    return JSONResponse({"items": [shown(product) for product in found], "next": None})


async def show_product(parts: Parts, request: Request, actor: str) -> Response:
    """One product."""
    return JSONResponse(shown(await parts.database.read(_existing, request.path_params["token"])))


async def put_product(parts: Parts, request: Request, actor: str) -> Response:
    """Make or change one product: 201 or 200."""
    body = ProductBody.model_validate(await _object(request))
    change = body.change(request.path_params["token"])
    try:
        product, created = await parts.database.write(
            shopkeeper.put, change, Stamp(actor, now()), address_of(request)
        )
    except CatalogueError as error:
        raise invalid(error.fields) from error
    log.info("product.saved", token=product.token, created=created, actor=actor)
    return JSONResponse(shown(product), 201 if created else 200)


async def move_stock(parts: Parts, request: Request, actor: str) -> Response:
    """Book what came or went; paid purchases that waited for it are looked at again."""
    body = StockBody.model_validate(await _object(request))
    if body.change == 0:
        raise invalid({"change": "should not be 0"})
    stamp = Stamp(actor, now())
    product = await parts.database.write(
        _receive, request.path_params["token"], body, stamp, address_of(request)
    )
    log.info("product.restocked", token=product.token, change=body.change, actor=actor)
    return JSONResponse(shown(product))


def shown(product: Product) -> dict[str, object]:
    """A product as JSON has it."""
    return {
        "token": product.token,
        "title": product.title,
        "price": representation.amount(product.price),
        "tax_rate": f"{product.tax_rate:f}",
        "sku": product.sku,
        "ean": product.ean,
        "for_sale": product.for_sale,
        "bundle": [{"token": part.token, "quantity": part.quantity} for part in product.bundle],
        "on_hand": product.on_hand,
        "reserved": product.reserved,
        "available": product.available,
    }


def _existing(connection: Connection, token: str) -> Product:
    # Anything else in an address is not even looked for: a database takes no NUL, for one.
    product = catalogue.find(connection, token) if TOKEN.fullmatch(token) else None
    if product is None:
        raise ProductUnknown(f"There is no product {token[:64]!r}.")
    return product


def _receive(connection: Connection, token: str, body: StockBody, stamp: Stamp, address: str) -> Product:
    _existing(connection, token)
    shopkeeper.receive(connection, token, body.change, body.reason, stamp, address)
    return _existing(connection, token)


async def _object(request: Request) -> dict[str, Any]:
    body = await read_json(request)
    if not isinstance(body, dict):
        raise Refusal(400, "invalid_request", "The body must be a JSON object.")
    return body


def routes(parts: Parts) -> list[Route]:
    """The routes, each behind a token."""
    one = "/api/v1/products/{token}"
    return [
        Route("/api/v1/products", guarded(parts, list_products), methods=["GET"]),
        Route(one, guarded(parts, show_product), methods=["GET"]),
        Route(one, guarded(parts, put_product), methods=["PUT"]),
        Route(f"{one}/stock", guarded(parts, move_stock), methods=["POST"]),
    ]
