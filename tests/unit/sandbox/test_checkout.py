"""What a scanned code asks for, and what a customer is sent as."""

from __future__ import annotations

import pytest

from sandbox.checkout import Customer, InvoiceCode, ShopCode, UnreadableCode, purchase_body, read_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("HTTP://SEQR.SE/000/checkout?w=demo&t=mug-1", ShopCode("demo", "mug-1")),
        ("HTTP://SEQR.SE/000/ups?T=mug.1&W=demo", ShopCode("demo", "mug.1")),
        ("  http://seqr.se/000/any?t=mug&w=my%20shop\n", ShopCode("my shop", "mug")),
        ("seqr://SEQR.SE/000/checkout?w=demo&t=mug", ShopCode("demo", "mug")),
        ("seqr-demo:///000/checkout?w=demo&t=mug", ShopCode("demo", "mug")),
        ("https://shop.example/sandbox/phone?t=mug", ShopCode("", "mug")),
        ("HTTP://SEQR.SE/R20150306072260070", InvoiceCode("20150306072260070")),
        ("seqr://seqr.se/r123", InvoiceCode("123")),
        ("R20150306072260070", InvoiceCode("20150306072260070")),
        ("http://127.0.0.1/sandbox/phone?r=123", InvoiceCode("123")),
    ],
)
def test_codes_of_the_family(text: str, code: ShopCode | InvoiceCode) -> None:
    assert read_code(text) == code


@pytest.mark.parametrize(
    "text", ["", "mug", "http://[", "HTTP://SEQR.SE/RABC", "https://shop.example/?w=demo&t="]
)
def test_other_codes(text: str) -> None:
    with pytest.raises(UnreadableCode, match="not a SEQR code"):
        read_code(text)


def test_all_of_the_body_is_strings() -> None:
    body = purchase_body("mug", Customer.read({"name": "Bo", "zip": 12345, "pin": "0000"}))

    assert body["clientName"] == "Bo"
    assert body["zip"] == "12345"
    assert set(body) == {
        "purchaseToken", "clientName", "street", "city", "country", "state", "zip", "email", "msisdn",
    }  # fmt: skip
    assert all(isinstance(value, str) for value in body.values())
