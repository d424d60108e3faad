"""Languages: which one a visitor gets, and how texts are found and filled in."""

from __future__ import annotations

import pytest
from babel.messages.catalog import Catalog

from dashboard.language import Language, language, wished


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("sv-SE,sv;q=0.9,en;q=0.5", "sv"),
        ("en-GB", "en"),
        ("de, sv;q=0.3, en;q=0.2", "sv"),
        ("sv;q=0, en;q=0.1", "en"),
        ("de", "en"),
        ("", "en"),
        ("sv;q=nonsense", "en"),
    ],
)
def test_the_browser_gets_the_language_it_likes_best(accepted: str, code: str) -> None:
    assert wished(accepted) == code


def test_texts_come_from_the_catalogue_and_else_stay_english() -> None:
    catalogue = Catalog(locale="sv")
    catalogue.add("%(name)s is paid", "%(name)s är betald")
    catalogue.add(("%(num)s row", "%(num)s rows"), ("%(num)s rad", "%(num)s rader"))
    swedish = Language("sv", catalogue)
    assert swedish.gettext("%(name)s is paid", name="A 5 %") == "A 5 % är betald"
    assert [swedish.ngettext("%(num)s row", "%(num)s rows", n) for n in (0, 1, 2)] == [
        "0 rader",
        "1 rad",
        "2 rader",
    ]
    assert swedish.gettext("Untold, 100 %%") == "Untold, 100 %"
    assert swedish.ngettext("one", "many", 2) == "many"


def test_a_language_that_there_is_not_is_refused() -> None:
    with pytest.raises(KeyError):
        language("tlh")
