"""Product pictures of the demo shop."""

from __future__ import annotations

import pytest
from lxml import etree

from sandbox.picture import draw


@pytest.mark.parametrize("token", ["mug", "coffee-500", "books_3", "x", "a.b-c", "gift.set", "vase", "soap"])
def test_every_token_has_a_picture_of_its_own_that_stays(token: str) -> None:
    drawing = draw(token)

    assert etree.fromstring(drawing.encode()).tag == "{http://www.w3.org/2000/svg}svg"
    assert drawing == draw(token)


def test_the_tokens_words_choose_what_is_drawn() -> None:
    assert draw("mug-blue").count("stroke-linecap") == draw("cups").count("stroke-linecap")
    assert draw("mug-set") != draw("mug")
