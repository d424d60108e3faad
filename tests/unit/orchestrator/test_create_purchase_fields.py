"""What createPurchase accepts, field by field, and how it says what is wrong."""

from __future__ import annotations

import base64
import sys
import unicodedata
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.requests import Request

from orchestrator.rest.create_purchase import HIDDEN, check_credentials, parse
from orchestrator.rest.errors import Refusal
from orchestrator.settings import Settings
from tests.fixtures.shop import ORDER

REQUIRED = ("purchaseToken", "clientName", "street", "city", "zip", "country", "email")
OPTIONAL = ("state", "msisdn")
LONGEST = {
    "purchaseToken": 64,
    "clientName": 200,
    "street": 200,
    "city": 200,
    "state": 200,
    "zip": 32,
    "country": 100,
    "msisdn": 32,
}


def refused(body: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        parse(body)
    return refusal.value


def complaint(name: str, value: object) -> str:
    refusal = refused({**ORDER, name: value})
    assert (refusal.status, refusal.code) == (422, "invalid_request")
    assert list(refusal.fields) == [name]
    assert name in refusal.message
    return refusal.fields[name]


def test_a_whole_request_becomes_an_order() -> None:
    order = parse({**ORDER, "state": "AC", "colour": "ignored"})
    assert (order.purchase_token, order.name, order.street, order.city) == (
        "mug",
        "Anna Svensson",
        "Storgatan 1",
        "Umeå",
    )
    assert (order.state, order.zip, order.country) == ("AC", "903 26", "Sweden")
    assert (order.email, order.msisdn) == ("anna@example.com", "46700000001")


@pytest.mark.parametrize("body", [None, [], [ORDER], "text", 1, True, 1.5])
def test_what_is_no_object_is_refused(body: Any) -> None:
    refusal = refused(body)
    assert (refusal.status, refusal.code, refusal.fields) == (400, "invalid_request", {})


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_field_must_be_there(name: str) -> None:
    refusal = refused({key: value for key, value in ORDER.items() if key != name})
    assert refusal.fields == {name: "is missing"}
    assert complaint(name, None) == "is missing"
    for empty in ("", " ", "\u3000"):
        assert complaint(name, empty) == "must not be empty"


@pytest.mark.parametrize("name", OPTIONAL)
def test_an_optional_field_may_be_absent_empty_or_null(name: str) -> None:
    without = parse({key: value for key, value in ORDER.items() if key != name})
    assert without == parse({**ORDER, name: None}) == parse({**ORDER, name: ""})
    assert getattr(without, name) == ""


@pytest.mark.parametrize("name", [*REQUIRED, *OPTIONAL])
@pytest.mark.parametrize("value", [0, 903, 1.5, True, False, [], ["x"], {}, {"x": "y"}])
def test_every_field_is_text(name: str, value: object) -> None:
    assert complaint(name, value) == "must be text"


@pytest.mark.parametrize(("name", "longest"), LONGEST.items())
def test_the_longest_passes_and_one_more_does_not(name: str, longest: int) -> None:
    parse({**ORDER, name: "x" * longest})
    assert complaint(name, "x" * (longest + 1)) == f"must have at most {longest} characters"


def test_the_longest_mail_address() -> None:
    assert len(parse({**ORDER, "email": "x" * 242 + "@example.com"}).email) == 254
    assert complaint("email", "x" * 243 + "@example.com") == "must have at most 254 characters"


@pytest.mark.parametrize("name", [*REQUIRED, *OPTIONAL])
@pytest.mark.parametrize("hidden", ["\x00", "\n", "\r\n", "\t", "\x1b", "\x7f", "\x85", "\ud800"])
def test_no_field_has_control_characters_or_halves_of_characters(name: str, hidden: str) -> None:
    assert complaint(name, f"a{hidden}b") == "must not contain control characters"


def test_what_is_hidden_is_what_unicode_calls_so() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    hidden = [letter for letter in everything if unicodedata.category(letter) in ("Cc", "Cs")]
    assert HIDDEN.findall(everything) == hidden


@pytest.mark.parametrize(
    "address",
    [
        "anna",
        "@example.com",
        "anna@",
        "anna@@example.com",
        "anna@a@b",
        "anna example@example.com",
        "anna@example.com, eve@example.com",
        "anna@example.com;eve@example.com",
        "Anna <anna@example.com>",
        "anna@example.com\u2028Bcc:eve@example.com",
    ],
)
def test_a_mail_address_is_one_address(address: str) -> None:
    assert complaint("email", address) == "must be a mail address such as anna@example.com"


@pytest.mark.parametrize(
    "address",
    [
        "anna@example.com\r\nBcc: eve@example.com",
        "anna@example.com\nX: y",
        "anna\r@example.com",
        "anna@example.com\x00",
    ],
)
def test_a_mail_address_carries_no_further_header(address: str) -> None:
    assert complaint("email", address) == "must not contain control characters"


@pytest.mark.parametrize("token", ["mug 1", "mug/1", "../mug", "mug?x=1", "müg", "mug'", "<b>", "mug%00"])
def test_a_purchase_token_has_letters_digits_and_three_signs(token: str) -> None:
    assert complaint("purchaseToken", token) == "may have letters, digits, '-', '_' and '.'"


@pytest.mark.parametrize(
    "text",
    [
        "Åsa Öberg",
        "李小龍",
        "محمد علي",
        "Ολυμπία",
        'O\'Brien "Bob" & <b>Söhne</b>',
        "]]> <!-- --> &amp; %s {0} ${x}",
        "'; DROP TABLE purchases; --",
        "👩‍👩‍👧 family",
        "e\u0301 combined",
        "=HYPERLINK(1)",
        " padded ",
    ],
)
def test_odd_but_fair_text_passes_unchanged(text: str) -> None:
    order = parse({**ORDER, "clientName": text, "street": text, "city": text, "state": text})
    assert {order.name, order.street, order.city, order.state} == {text}


def test_all_wrong_fields_are_told_at_once() -> None:
    refusal = refused({**ORDER, "clientName": "", "zip": 90326, "email": "anna"})
    assert list(refusal.fields) == ["clientName", "zip", "email"]


def test_equal_requests_have_one_key_and_any_other_field_another() -> None:
    key = parse(ORDER).request_key()
    assert parse(dict(reversed(ORDER.items()))).request_key() == key
    changed = {
        name: parse({**ORDER, name: "x@y" if name == "email" else "x"}).request_key() for name in ORDER
    }
    assert len({key, *changed.values()}) == 1 + len(ORDER)
    # Text that moves from one field into the next makes another order.
    assert (
        parse({**ORDER, "street": "ab", "city": "c"}).request_key()
        != parse({**ORDER, "street": "a", "city": "bc"}).request_key()
    )


GUARDED = Settings(
    _env_file=None, create_purchase_user="seqr", create_purchase_password=SecretStr("pass:wörd")
)


def asked(authorization: str | None) -> Request:
    headers = [] if authorization is None else [(b"authorization", authorization.encode("latin-1"))]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers})


def basic(text: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize("authorization", [basic("seqr:pass:wörd"), basic("seqr:pass:wörd", "basic")])
def test_the_right_credentials_pass(authorization: str) -> None:
    check_credentials(asked(authorization), GUARDED)


def test_without_the_setting_nobody_is_asked() -> None:
    check_credentials(asked(None), Settings(_env_file=None))


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic !!!!",
        "Basic åäö",
        "Basic c2Vxcg",
        basic("seqr:wrong"),
        basic("other:pass:wörd"),
        basic("seqr"),
        basic("seqr:pass:wörd", "Bearer"),
    ],
)
def test_any_other_is_turned_away_and_told_how_to_ask(authorization: str | None) -> None:
    with pytest.raises(Refusal) as refusal:
        check_credentials(asked(authorization), GUARDED)
    assert (refusal.value.status, refusal.value.code) == (401, "unauthorized")
    assert refusal.value.headers["WWW-Authenticate"].startswith("Basic ")
    assert "pass:wörd" not in refusal.value.message
