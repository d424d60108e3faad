"""What the phone tells a customer when something does not work."""

from __future__ import annotations

import re

import pytest

from sandbox.checkout import CheckoutRefused
from sandbox.errors import Refusal, ResultCode
from sandbox.explanation import Explanation, explain_act, explain_order

KNOWN = (
    "INVALID_REQUEST",
    "UNAUTHORIZED",
    "UNKNOWN_PURCHASE_TOKEN",
    "OUT_OF_STOCK",
    "TOO_MANY_REQUESTS",
    "INVOICING_ERROR",
    "SYSTEM_ERROR",
    "UNKNOWN_WEBSHOP",
    "SHOP_TIMEOUT",
    "SHOP_UNREACHABLE",
)
OTHERS = ("INVALID_ANSWER", "HTTP_500", "NEVER_HEARD_OF")


def is_plain(explanation: Explanation) -> bool:
    """Whether all of it is for people: no codes, and something to do now."""
    said = f"{explanation.headline} {explanation.happened} {explanation.now}".replace("HTTP://SEQR.SE/", "")
    return bool(explanation.now) and not re.search(r"[A-Z]+_[A-Z]+|\b[45]\d\d\b|HTTP", said)


@pytest.mark.parametrize("code", [*KNOWN, *OTHERS])
def test_a_refused_order_is_told_in_plain_words(code: str) -> None:
    explanation = explain_order(CheckoutRefused(code, "Whatever the shop says."))

    assert is_plain(explanation)
    assert re.search(r"you have not been charged", explanation.happened, re.IGNORECASE)


def test_each_code_of_the_shop_has_words_of_its_own() -> None:
    told = {explain_order(CheckoutRefused(code, "")).headline for code in (*KNOWN, "ANOTHER")}

    assert len(told) == len(KNOWN) + 1


@pytest.mark.parametrize("code", list(ResultCode))
def test_what_seqr_refuses_is_told_in_plain_words(code: ResultCode) -> None:
    assert is_plain(explain_act(Refusal(code, "reason")))


def test_only_what_may_pass_offers_another_try() -> None:
    again = {code for code in KNOWN if explain_order(CheckoutRefused(code, "")).again}

    assert again == {
        "INVALID_REQUEST", "TOO_MANY_REQUESTS", "INVOICING_ERROR", "SYSTEM_ERROR", "SHOP_TIMEOUT",
        "SHOP_UNREACHABLE",
    }  # fmt: skip
