"""Calls of createPurchase, by the status that answers each, and words that mean something there."""

from __future__ import annotations

import base64
import json

from tests.fixtures.shop import ORDER

USER, PASSWORD = "seqr", "åtta:kameler"


def _call(body: bytes, *lines: str, content_type: str = "application/json;charset=UTF-8") -> bytes:
    head = "\n".join([f"content-type: {content_type}", *lines])
    return head.encode() + b"\n\n" + body


def _order(*lines: str, **changes: object) -> bytes:
    kept = {name: value for name, value in {**ORDER, **changes}.items() if value is not None}
    return _call(json.dumps(kept, ensure_ascii=False).encode("utf-8", "surrogatepass"), *lines)


def _basic(credentials: str) -> str:
    return f"authorization: Basic {base64.b64encode(credentials.encode()).decode()}"


_WHOLE = json.dumps(ORDER).encode()

SEEDS = {
    "200": (
        _order(),
        _order(purchaseToken="spoon", msisdn=None, state=None),
        _order(purchaseToken="set", clientName="Ünïcödé 名前 🛒", street="'); DROP TABLE purchases;--"),
        _order(purchaseToken="a.b-c_1", more={"deep": [1, 2.5e300, None, True]}),
        _order(_basic(f"{USER}:{PASSWORD}"), "accept: application/json", "x-request-id: abcd-1"),
        _order("x-forwarded-for: 192.0.2.7, [2001:db8::1]:4711", "x-forwarded-proto: https"),
        _call(_WHOLE, f"content-length: {len(_WHOLE)}"),
        _WHOLE,
        _call(json.dumps(ORDER).encode("utf-16")),
    ),
    "400": (
        b"",
        _call(b"[1, 2"),
        _call(b"null"),
        _call(b"[" * 3000),
        _call(b'{"a": ' + b"9" * 4500 + b"}"),
        _call(b"\xff\xfe\x00"),
        _call(_WHOLE, f"content-length: {len(_WHOLE) + 1}"),
    ),
    "401": (
        _order(_basic("seqr:wrong")),
        _order("authorization: Basic %%%"),
        _order("authorization: Bearer åäö"),
    ),
    "404": (_order(purchaseToken="nothing"), _order(purchaseToken="hidden")),
    "409": (_order(purchaseToken="gone"),),
    "413": (_call(_WHOLE, "content-length: 99999999"),),
    "415": (_call(_WHOLE, content_type="text/plain"), _call(_WHOLE, content_type="")),
    "422": (
        _order(purchaseToken="../mug", email="nobody"),
        _order(clientName="a\x00b", street="\ud800", city=" \u2028", zip=5, country=["x"]),
        _call(b"{}"),
    ),
}

WORDS = (
    *(f'"{name}":'.encode() for name in ORDER),
    *rb"""
        "mug" "spoon" "set" "a.b-c_1" "gone" "hidden" anna@example.com @
        content-type: application/json content-length: authorization: x-forwarded-for: x-forwarded-proto:
        x-request-id: charset= utf-16 null true NaN Infinity -0 1e999 { } [ ] ":" "," ' < \\ %00
        "\u0000" "\ud800" \u2028 \u0085 \u202e ::ffff:127.0.0.1 fe80::1%eth0
    """.split(),
    *(b"Basic ", b"Bearer ", b"\n\n", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf0\x9f\x9b\x92"),
)
