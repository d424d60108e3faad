"""The shapes of what the HTTP interfaces take and give, as JSON Schema (OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.money import LARGEST_AMOUNT
from orchestrator.product import (
    HIGHEST_TAX_RATE,
    LARGEST_QUANTITY,
    LARGEST_STOCK,
    LONGEST_SKU,
    LONGEST_TITLE,
    MOST_PARTS,
)
from orchestrator.rest.create_purchase import FIELDS, Field
from orchestrator.seqr.messages import Verdict
from statemachine import MEANINGS, REASON_MEANINGS, Reason, State

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(description: str = "", **limits: Any) -> Schema:
    """A string."""
    return {"type": "string", **({"description": description} if description else {}), **limits}


def number(description: str = "", **limits: Any) -> Schema:
    """A whole number."""
    return {"type": "integer", **({"description": description} if description else {}), **limits}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    if "$ref" in schema:
        return {"oneOf": [schema, {"type": "null"}]}
    values = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **values}


def array(items: Schema, **limits: Any) -> Schema:
    """A list."""
    return {"type": "array", "items": items, **limits}


def record(properties: Mapping[str, Schema], required: Sequence[str] | None = None, **more: Any) -> Schema:
    """An object; all its properties are always there unless ``required`` names fewer."""
    needed = list(properties if required is None else required)
    return {"type": "object", "properties": dict(properties), "required": needed, **more}


def _meanings(meanings: Mapping[Any, str]) -> str:
    return "\n".join(f"- `{name.value}`: {meaning}" for name, meaning in meanings.items())


_EXAMPLES = {
    "purchaseToken": "pen",
    "clientName": "Anna Svensson",
    "street": "Storgatan 1",
    "city": "Umeå",
    "state": "",
    "zip": "903 26",
    "country": "Sweden",
    "email": "anna@example.com",
    "msisdn": "46700000001",
}

_CONTROLS = r"\x00-\x1f\x7f-\x9f"
PLAIN = f"^[^{_CONTROLS}]*$"
"""No control characters."""
FILLED = rf"^[^{_CONTROLS}]*[^\s{_CONTROLS}][^{_CONTROLS}]*$"
"""Nor nothing but space."""


def _field(name: str, field: Field) -> Schema:
    """A field of createPurchase."""
    pattern = f"^{field.pattern.pattern}$" if field.pattern else FILLED if field.required else PLAIN
    schema = text(pattern=pattern, maxLength=field.longest, examples=[_EXAMPLES[name]])
    return schema if field.required else nullable(schema)


MOMENT = text("ISO 8601, in UTC.", format="date-time", examples=["2026-03-01T12:30:00.000000Z"])
DECIMAL = text("A decimal number as text.", pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["149.90"])
NUMBER: Schema = {
    "type": ["string", "number"],
    "description": "A decimal number as text; a JSON number is understood too.",
    "pattern": r"^-?[0-9]{1,30}(\.[0-9]{1,30})?$",
    "examples": ["149.90"],
}
"""How requests may write what answers write as DECIMAL."""
TOKEN = text("What a QR code names.", pattern="^[A-Za-z0-9._-]{1,64}$", examples=["mug"])
STATE = text(_meanings(MEANINGS), enum=[state.value for state in State])
REASON = text(_meanings(REASON_MEANINGS), enum=[reason.value for reason in Reason])

_MONEY = record(
    {"currency": text("ISO 4217.", pattern="^[A-Z]{3}$", examples=["SEK"]), "value": DECIMAL},
)
_PRICE = record(
    {
        "currency": text("ISO 4217.", pattern="^[A-Z]{3}$", examples=["SEK"]),
        "value": {**NUMBER, "exclusiveMinimum": 0, "maximum": int(LARGEST_AMOUNT)},
    },
    description="No more decimals than the currency has.",
    additionalProperties=False,
)
_CUSTOMER = record(
    {name: text() for name in ("name", "street", "city", "state", "zip", "country", "email", "msisdn")}
)
_PURCHASE = record(
    {
        "id": text("Sorts by the time it was made.", format="uuid"),
        "state": STATE,
        "reason": nullable(REASON),
        "attention": nullable(text("Why it waits for somebody.")),
        "purchase_token": TOKEN,
        "title": text(),
        "amount": ref("Money"),
        "invoice_reference": nullable(text("SEQR's, of its latest invoice.")),
        "invoice_qr_code": nullable(text("What the customer scans to pay.")),
        "ers_reference": nullable(text("SEQR's, of the payment.")),
        "customer": ref("Customer"),
        "created_at": MOMENT,
        "updated_at": MOMENT,
    }
)
_TRANSITION = record(
    {
        "at": MOMENT,
        "trigger": text("What happened; also `place`, `attention` and `attention_over`."),
        "source": nullable(STATE),
        "target": STATE,
        "actor": text("Who did it.", examples=["notification", "reconciler", "operator:anna", "api:till"]),
        "detail": text("One sentence."),
    }
)
_EXCHANGE = record(
    {
        "at": MOMENT,
        "operation": text(examples=["sendInvoice"]),
        "outcome": text("How the call ended.", enum=[verdict.value for verdict in Verdict]),
        "result_code": nullable(number("SEQR's.")),
        "detail": text("One sentence."),
        "duration_ms": {"type": "number", "minimum": 0},
        "request": text("The SOAP message, credentials masked."),
        "response": text("What came back, credentials masked."),
    }
)
_WHOLE_PURCHASE: Schema = {
    "allOf": [
        ref("Purchase"),
        record({"transitions": array(ref("Transition")), "exchanges": array(ref("Exchange"))}),
    ]
}
_PIECE = record(
    {"token": TOKEN, "quantity": number(minimum=1, maximum=LARGEST_QUANTITY)}, additionalProperties=False
)
_PRODUCT = record(
    {
        "token": TOKEN,
        "title": text(),
        "price": ref("Money"),
        "tax_rate": DECIMAL,
        "sku": nullable(text(maxLength=LONGEST_SKU)),
        "ean": nullable(text(pattern="^[0-9]{8,14}$")),
        "for_sale": {"type": "boolean"},
        "bundle": array(ref("Piece")),
        "on_hand": number("Of a bundle: how many its parts make.", minimum=0),
        "reserved": number("Promised to purchases that are not stocked yet.", minimum=0),
        "available": number("What can still be promised.", minimum=0),
    }
)
_PRODUCT_CHANGE = record(
    {
        "token": nullable(text("If given, the one in the address.")),
        "title": text("Space at its ends is not kept.", pattern=r"\S", maxLength=LONGEST_TITLE),
        "price": ref("Price"),
        "tax_rate": {
            **NUMBER,
            "description": "Percent, up to four decimals.",
            "minimum": 0,
            "maximum": HIGHEST_TAX_RATE,
            "examples": ["25"],
        },
        "sku": nullable(text("Empty for none.", maxLength=LONGEST_SKU)),
        "ean": nullable(
            text("Empty for none.", pattern=r"^\s*([0-9]{8,14})?\s*$", examples=["7310865004703"])
        ),
        "on_hand": nullable(number("Stays as it is when left out.", minimum=0, maximum=LARGEST_STOCK)),
        "for_sale": nullable({"type": "boolean", "description": "Stays as it is when left out."}),
        "bundle": nullable(array(ref("Piece"), maxItems=MOST_PARTS)),
        "reserved": {"description": "Not used: what GET answers may be sent back."},
        "available": {"description": "Not used: what GET answers may be sent back."},
    },
    required=["title", "price", "tax_rate"],
    additionalProperties=False,
    examples=[
        {
            "title": "Mug",
            "price": {"currency": "SEK", "value": "149.90"},
            "tax_rate": "25",
            "sku": "MUG-1",
            "on_hand": 10,
        }
    ],
)
_STOCK_CHANGE = record(
    {
        "change": {
            **number("How many came; below 0, how many went.", minimum=-LARGEST_STOCK, maximum=LARGEST_STOCK),
            "not": {"const": 0},
        },
        "reason": text(pattern=FILLED, maxLength=200, examples=["delivery"]),
    },
    additionalProperties=False,
)
_FIELDS: Schema = {
    "type": "object",
    "description": "Which fields are wrong, and why each.",
    "additionalProperties": {"type": "string"},
}
_ERROR = record(
    {
        "error": text("A stable name.", examples=["not_allowed"]),
        "message": text("What is wrong, and what to do about it."),
        "fields": _FIELDS,
    },
    required=["error", "message"],
)
_ORDER = record(
    {name: _field(name, field) for name, field in FIELDS.items()},
    required=[name for name, field in FIELDS.items() if field.required],
    description="Other fields are ignored.",
)
_SEQR_ERROR = record(
    {
        "errorCode": text(
            enum=[
                "INVALID_REQUEST",
                "UNAUTHORIZED",
                "NOT_FOUND",
                "METHOD_NOT_ALLOWED",
                "UNKNOWN_PURCHASE_TOKEN",
                "OUT_OF_STOCK",
                "TOO_MANY_REQUESTS",
                "INVOICING_ERROR",
                "SYSTEM_ERROR",
            ]
        ),
        "message": text(),
        "fields": _FIELDS,
    },
    required=["errorCode", "message"],
)

SCHEMAS: dict[str, Schema] = {
    "Money": _MONEY,
    "Price": _PRICE,
    "Customer": _CUSTOMER,
    "Purchase": _PURCHASE,
    "PurchaseWithHistory": _WHOLE_PURCHASE,
    "PurchasePage": record(
        {
            "items": array(ref("Purchase")),
            "next": nullable(text("Send it as `cursor` to get the next page; null at the end.")),
        }
    ),
    "Transition": _TRANSITION,
    "Exchange": _EXCHANGE,
    "Product": _PRODUCT,
    "ProductPage": record({"items": array(ref("Product")), "next": {"type": "null"}}),
    "Piece": _PIECE,
    "ProductChange": _PRODUCT_CHANGE,
    "StockChange": _STOCK_CHANGE,
    "Error": _ERROR,
    "Order": _ORDER,
    "InvoiceReference": record({"invoiceReferenceId": text(examples=["20150306072260070"])}),
    "SeqrError": _SEQR_ERROR,
}
