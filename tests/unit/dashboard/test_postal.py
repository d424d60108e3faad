"""Why a mail did not go out, in plain words."""

from __future__ import annotations

import pytest

from dashboard.language import language
from dashboard.postal import trouble


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("The mail server a:25 cannot be reached: refused", "The mail server does not answer."),
        ("The mail server a:25 did not take the mail: 550 no", "The mail server refused the mail."),
        (
            "'x' is not an address to which mail can be sent.",
            "The address is none to which mail can be sent.",
        ),
        ("Nobody knows.", "The mail could not be sent."),
    ],
)
def test_an_error_is_told_with_what_helps(error: str, words: str) -> None:
    found = trouble(language("en"), error)
    assert (found.words, found.said) == (words, error)
    assert found.help
