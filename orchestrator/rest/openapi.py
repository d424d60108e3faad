"""``/api/v1/openapi.json``: the HTTP interfaces described in OpenAPI 3.1, for people and for generators."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from orchestrator.invoice import NOTIFICATION_PATH
from orchestrator.parts import Parts
from orchestrator.rest import create_purchase
from orchestrator.rest.purchases import DEFAULT_LIMIT, LARGEST_LIMIT, LONGEST_SEARCH
from orchestrator.rest.schemas import MOMENT, PLAIN, SCHEMAS, TOKEN, Schema, number, ref, text
from orchestrator.seqr.client import CLIENT_NAME
from statemachine import State

PATH = "/api/v1/openapi.json"

_REFUSALS = {
    400: "The body is no JSON object.",
    404: "There is none.",
    409: "Its state does not allow it; `message` says why.",
    413: "The body is larger than 64 KiB.",
    415: "The body is not declared as JSON.",
    422: "Values are missing or wrong; `fields` names each.",
}
_RETRY_AFTER: Schema = {
    "headers": {"Retry-After": {"required": True, "schema": number("Seconds.", minimum=0)}}
}
_CHALLENGE: Schema = {
    "headers": {"WWW-Authenticate": {"required": True, "schema": text("How to authenticate.")}}
}
_BODY_REFUSALS = (400, 413, 415, 422)
_NOTIFICATION = NOTIFICATION_PATH + "{key}"


def routes(parts: Parts) -> list[Route]:
    """The description; it is no secret, so it asks for no token."""

    async def described(_request: Request) -> Response:
        return JSONResponse(document() | {"servers": [{"url": parts.settings.public_url}]})

    return [Route(PATH, described, methods=["GET"])]


@cache
def document() -> dict[str, Any]:
    """The whole description, without the server's address."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SEQR order orchestrator",
            "version": _own_version(),
            "description": "Purchases and products of a web-shop that takes SEQR Instant Checkout.",
        },
        "paths": _tagged("purchases", _purchase_paths())
        | _tagged("products", _product_paths())
        | _tagged("SEQR", _seqr_paths())
        | _tagged("description", _own_path()),
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "shop": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Demanded where the shop has set user and password.",
                },
            },
        },
        "security": [{"token": []}],
    }


def _tagged(tag: str, paths: dict[str, Schema]) -> dict[str, Schema]:
    """The paths, with all their calls under one heading."""
    return {
        path: {method: {"tags": [tag], **call} for method, call in calls.items()}
        for path, calls in paths.items()
    }


def _purchase_paths() -> dict[str, Schema]:
    whose = [_in_path("purchase_id", text("The purchase's id.", format="uuid"))]
    return {
        "/api/v1/purchases": {
            "get": _call("listPurchases", "Purchases, newest first", "PurchasePage", (422,), _LIST_QUERY)
        },
        "/api/v1/purchases/{purchase_id}": {
            "get": _call("getPurchase", "One purchase with its history", "PurchaseWithHistory", (404,), whose)
        },
        "/api/v1/purchases/{purchase_id}/retry": {
            "post": _call("retryPurchase", "Try again what its state needs", "Purchase", (404, 409), whose)
        },
        "/api/v1/purchases/{purchase_id}/cancel": {
            "post": _call("cancelPurchase", "Cancel it, and its invoice", "Purchase", (404, 409), whose)
        },
    }


def _product_paths() -> dict[str, Schema]:
    which = [_in_path("token", TOKEN)]
    put = _call("putProduct", "Make or replace a product", "Product", _BODY_REFUSALS, which, "ProductChange")
    put["responses"]["201"] = _answer("It was made.", "Product")
    return {
        "/api/v1/products": {"get": _call("listProducts", "All products, by token", "ProductPage")},
        "/api/v1/products/{token}": {
            "get": _call("getProduct", "One product", "Product", (404,), which),
            "put": put,
        },
        "/api/v1/products/{token}/stock": {
            "post": _call(
                "moveStock",
                "Book what came into stock, or went",
                "Product",
                (*_BODY_REFUSALS, 404, 409),
                which,
                "StockChange",
            )
        },
    }


def _seqr_paths() -> dict[str, Schema]:
    """What SEQR calls; its errors have a shape of their own."""
    refusals = {
        400: "Not JSON, or no object.",
        401: "Basic authentication is demanded and wrong.",
        404: "UNKNOWN_PURCHASE_TOKEN: no such product, or not for sale.",
        409: "OUT_OF_STOCK: nothing left to promise.",
        413: "The body is larger than 64 KiB.",
        415: "The body is not declared as JSON.",
        422: "A field is missing or wrong; `fields` names each.",
        429: "TOO_MANY_REQUESTS: too many at once, from one address, or unpaid of one customer.",
        500: "SYSTEM_ERROR: the orchestrator failed; its log says why.",
        502: "INVOICING_ERROR: SEQR refused the invoice; `message` has its code.",
        503: "SYSTEM_ERROR: SEQR or the database cannot be reached. Repeat the same request.",
    }
    answers = {str(status): _answer(words, "SeqrError") for status, words in refusals.items()}
    answers["401"] |= _CHALLENGE
    for status in ("429", "503"):
        answers[status] |= _RETRY_AFTER
    order = {
        "operationId": "createPurchase",
        "summary": "Order a product and get the invoice to pay; the same request again gets the same one",
        "security": [{}, {"shop": []}],
        "requestBody": _body("Order"),
        "responses": {"200": _answer("The invoice at SEQR.", "InvoiceReference"), **answers},
    }
    hint = {
        "operationId": "notify",
        "summary": "Something happened to a purchase's invoice; the body is empty",
        "security": [],
        "parameters": [_in_path("key", text("The end of the address that SEQR was given."))],
        "responses": {
            "200": {"description": "Heard."},
            "404": _answer("None of ours.", "SeqrError"),
            **{status: answers[status] for status in ("500", "503")},
        },
    }
    return {create_purchase.PATH: {"post": order}, _NOTIFICATION: {"post": hint}}


def _own_path() -> dict[str, Schema]:
    content = {"application/json": {"schema": {"type": "object"}}}
    call = {
        "operationId": "getDescription",
        "summary": "This description",
        "security": [],
        "responses": {"200": {"description": "OpenAPI 3.1.", "content": content}},
    }
    return {PATH: {"get": call}}


def _call(
    name: str,
    summary: str,
    answer: str,
    refusals: tuple[int, ...] = (),
    parameters: list[Schema] | None = None,
    body: str | None = None,
) -> Schema:
    """A call of ``/api/v1``; all of them can be refused for want of a token or of the database."""
    refused = {str(status): _answer(_REFUSALS[status], "Error") for status in sorted(refusals)}
    call: Schema = {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": _answer("Done.", answer),
            "401": _answer("The token is missing, unknown or revoked.", "Error") | _CHALLENGE,
            **refused,
            "429": _answer("Too many requests from your address.", "Error") | _RETRY_AFTER,
            "500": _answer("The orchestrator failed; its log says why.", "Error"),
            "503": _answer("The database cannot be reached; try again.", "Error") | _RETRY_AFTER,
        },
    }
    if parameters:
        call["parameters"] = parameters
    if body is not None:
        call["requestBody"] = _body(body)
    return call


def _answer(description: str, schema: str) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": ref(schema)}}}


def _body(schema: str) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": ref(schema)}}}


def _in_path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(name: str, schema: Schema) -> Schema:
    """An empty value is none."""
    return {"name": name, "in": "query", "required": False, "allowEmptyValue": True, "schema": schema}


_STATE = "|".join(State)
_WHEN: Schema = {"anyOf": [MOMENT, text("A day, in UTC.", format="date")]}
_LIST_QUERY = [
    _in_query(
        "state",
        text(
            "One state, or several with commas between.",
            pattern=f"^({_STATE})(,({_STATE}))*$",
            examples=["paid,failed"],
        ),
    ),
    _in_query(
        "q",
        text(
            "An id or its beginning, a whole invoice or ERS reference; or words that begin those of "
            "the customer's name, mail address or phone, or stand in the product's token or title.",
            pattern=PLAIN,
            maxLength=LONGEST_SEARCH,
        ),
    ),
    _in_query("since", {**_WHEN, "description": "Made at this time or later."}),
    _in_query("until", {**_WHEN, "description": "Made before this time."}),
    _in_query("limit", number(minimum=1, maximum=LARGEST_LIMIT, default=DEFAULT_LIMIT)),
    _in_query("cursor", text("`next` of the page before, and nothing else.", format="cursor")),
]


def _own_version() -> str:
    try:
        return version(CLIENT_NAME)
    except PackageNotFoundError:
        return "unpackaged"
