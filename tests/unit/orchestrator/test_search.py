"""Words: how a purchase's and a query's are made, so that they meet."""

from __future__ import annotations

import pytest

from orchestrator.search import Query, Word, fold, search_text, terms, untelling, words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Åsa ÖBERG", "asa oberg"),
        ("Straße", "strasse"),
        ("Søren Łukasz Æther", "soren lukasz aether"),
        ("É", "e"),
    ],
)
def test_case_and_accents_are_folded(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_a_purchase_is_found_by_words_of_name_mail_and_phone() -> None:
    found = terms("Anna-Karin O’Neill", "a.neill+shop@mail.example.com", "46700000001")
    assert {"anna-karin", "anna", "karin", "o'neill", "neill"} <= set(found)
    assert {"a.neill+shop@mail.example.com", "shop", "mail.example.com", "example.com"} <= set(found)
    assert {"46700000001", "700000001"} <= set(found)
    assert len(found) == len(set(found))


def test_no_term_is_longer_than_its_column() -> None:
    assert max(map(len, terms("x" * 200, "y" * 300, "1"))) == 254


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Anna  Svensson", ("anna", "svensson")),
        ("anna ANNA", ("anna",)),
        ("“Öberg”, Åsa", ("oberg", "asa")),
        ("+46 70 000 00 01", ("46700000001",)),
        ("070-000 00 01", ("700000001",)),
        ("0046 70 000", ("4670000",)),
        ("Anna@Example.com", ("anna@example.com",)),
        ("0", ("0",)),
        ("00000", ()),
        ("<>", ("<>",)),
        ("", ()),
    ],
)
def test_a_query_is_split_likewise(query: str, expected: tuple[str, ...]) -> None:
    assert words(query) == expected


def test_a_query_has_only_so_many_words() -> None:
    assert len(words(" ".join(f"w{number}" for number in range(30)))) == 8


@pytest.mark.parametrize("query", ["+46 70 000 00 01", "0700000001", "46700", "sven", "ann", "ANNA.S@"])
def test_both_meet(query: str) -> None:
    kept = search_text(terms("Anna Svensson", "anna.s@example.com", "46700000001"))
    assert Query(words=tuple(map(Word, words(query)))).finds("id", kept, "mug")


def test_a_query_that_was_understood_is_held_against_a_purchase() -> None:
    assert Query(ids=("a", "b")).finds("b", "", "")
    assert not Query(ids=("a",)).finds("b", "", "")
    assert Query(beginning="019a").finds("019abc", "", "")
    assert not Query().finds("019abc", " anna", "mug")
    assert Query(words=(Word("mug", ("mug",)),)).finds("x", " anna", "mug")


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("/purchases", "/purchases"),
        ("/purchases?state=paid,failed&since=2026-03-01", "/purchases?state=paid,failed&since=2026-03-01"),
        ("/purchases?state=paid&q=%C3%85sa+H", "/purchases?state=paid (and words)"),
        ("/purchases?%71=asa&q=bo", "/purchases (and words)"),
    ],
)
def test_an_address_may_say_that_words_were_searched_for_but_not_which(address: str, kept: str) -> None:
    assert untelling(address) == kept
