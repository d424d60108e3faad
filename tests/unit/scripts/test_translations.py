"""The catalogues of translations are whole, and made of the texts that the code has."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from babel.messages.catalog import Catalog

from dashboard.language import LANGUAGES
from scripts.translations import SOURCE, Text, merged, path_of, texts, untranslated, written

TRANSLATED = [code for code in LANGUAGES if code != SOURCE]


@pytest.fixture(scope="module", params=TRANSLATED)
def code(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def catalogue(code: str) -> Catalog:
    return merged(code, texts())


def _forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (text or "",) if text is None or isinstance(text, str) else tuple(text)


def _values(text: str) -> Counter[str]:
    return Counter(re.findall(r"%\(\w+\)s|%%|%", text))


def test_the_file_is_what_make_translations_writes(code: str, catalogue: Catalog) -> None:
    assert path_of(code).read_bytes() == written(code, catalogue), "Type: make translations"


def test_every_text_is_translated(catalogue: Catalog) -> None:
    assert untranslated(catalogue) == []


def test_a_translation_has_the_values_of_its_text(catalogue: Catalog) -> None:
    different = [
        (source, form)
        for entry in catalogue
        if entry.id
        for source, form in zip(_forms(entry.id), _forms(entry.string), strict=True)
        if _values(source) != _values(form)
    ]
    assert different == []


def test_a_text_that_is_new_waits_for_its_translation() -> None:
    assert untranslated(merged(TRANSLATED[0], [Text("No catalogue has this.", "nowhere.py")])) == [
        "No catalogue has this."
    ]
