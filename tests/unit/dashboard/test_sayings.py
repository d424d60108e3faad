"""What the journal says, known again by its shape."""

from __future__ import annotations

import pytest

from dashboard.language import language
from dashboard.sayings import briefly, pleas, told

ENGLISH, SWEDISH = language("en"), language("sv")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("SEQR's invoice 2015.", "SEQR took the invoice; it is number 2015."),
        ("Started over: the goods are held again. Why: 100 % sure.", "Why: 100 % sure."),
        (
            "SEQR says CANCELED of invoice R1.",
            "SEQR says that invoice R1 is cancelled; nobody can pay it any more.",
        ),
        (
            "SEQR does not know invoice R1: 54 UNKNOWN: no invoice R1 here.",
            "SEQR does not know invoice R1 (54 UNKNOWN: no invoice R1 here); it is treated as not payable.",
        ),
        ("SEQR says REVERSED of invoice R1.", "SEQR says REVERSED about invoice R1."),
        ("Something else.", "Something else."),
        ("", ""),
    ],
)
def test_a_row_of_the_journal_is_told_in_plain_words(written: str, shown: str) -> None:
    assert told(ENGLISH, written).endswith(shown)


def test_an_answer_with_colons_is_no_part_of_the_reference() -> None:
    written = "SEQR refuses to tell about invoice R1: 54 UNKNOWN: no invoice R1: gone."
    (plea,) = pleas(ENGLISH, written)
    assert plea.words == "SEQR will not say whether invoice R1 is paid (54 UNKNOWN: no invoice R1: gone)."
    (plea,) = pleas(SWEDISH, written)
    assert plea.words == "SEQR säger inte om faktura R1 är betald (54 UNKNOWN: no invoice R1: gone)."


def test_nothing_is_asked_for_without_attention() -> None:
    assert pleas(ENGLISH, "") == []


def test_two_things_at_once_are_told_one_by_one() -> None:
    lacks = (
        "Paid, but the stock lacks 2 × spoon (1 left): restock it, then it goes on by itself; or refund it."
    )
    too = "Invoice R2, R3 was paid too: refund what was paid twice."
    first, second = pleas(ENGLISH, f"{lacks} {too}")
    assert (first.words, first.lacking) == ("Paid, but the stock lacks 2 × spoon (1 left).", ("spoon",))
    assert second.words == "The customer paid twice: invoice R2, R3 was paid too."
    assert first.help
    assert second.help
    (alone,) = pleas(ENGLISH, too)
    assert alone == second


@pytest.mark.parametrize(
    "attention",
    [
        "SEQR refuses to tell about invoice R1: 21 ACCESS_DENIED.",
        "SEQR refuses to cancel invoice R1: 54 INVALID_INVOICE_REFERENCE.",
        "SEQR says THINKING of invoice R1, a status we do not know. We keep asking.",
        "SEQR took 1.00 SEK for invoice R1, which asked for 149.00 SEK.",
        "SEQR answered for invoice R2 when asked for R1.",
    ],
)
def test_what_the_orchestrator_asks_for_is_known_and_helped_with(attention: str) -> None:
    (plea,) = pleas(ENGLISH, attention)
    assert plea.words != attention
    assert plea.help
    assert len(briefly(ENGLISH, attention)) <= 40


def test_a_row_of_a_list_says_it_briefly() -> None:
    untold = "SEQR refuses to tell about invoice R1: 54 UNKNOWN: no invoice R1: gone."
    too = "Invoice R2 was paid too: refund what was paid twice."
    assert briefly(ENGLISH, untold) == "SEQR will not say whether it is paid."
    assert briefly(SWEDISH, f"{untold} {too}") == "SEQR säger inte om det är betalt. Betalt två gånger."
    assert briefly(ENGLISH, "Something else.") == "Something else."
