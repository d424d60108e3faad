"""Product pictures of the demo shop."""

from __future__ import annotations

import pytest
from lxml import etree

from sandbox.picture import draw


@pytest.mark.parametrize("token", ["mug", "coffee-500", "books_3", "x", "a.b-c", "gift.set", "vase", "soap"])
@pytest.mark.parametrize("dark", [False, True])
def test_every_token_has_a_picture_of_its_own_that_stays(token: str, dark: bool) -> None:
    drawing = draw(token, "Å", dark=dark)

    svg = etree.fromstring(drawing.encode())
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert svg.findtext("{*}text") == "Å"
    assert "style" not in drawing
    assert drawing == draw(token, "Å", dark=dark)


def test_pictures_differ_by_product_and_by_night() -> None:
    assert len({draw(f"product-{number}") for number in range(40)}) > 20
    assert draw("mug") != draw("mug", dark=True)


def test_an_initial_is_only_a_letter() -> None:
    assert "&lt;" in draw("mug", "<")
