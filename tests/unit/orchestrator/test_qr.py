"""QR codes: what they say, the link that does the same, and that the drawing is the code of just that."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
import segno
from lxml import etree

from orchestrator import qr
from orchestrator.settings import Settings

DOCS = Path(__file__).parents[3] / "docs" / "qr-codes.md"
INVOICE = "HTTP://SEQR.SE/R20150306072260070"


def settings(**changes: str) -> Settings:
    return Settings(_env_file=None, **changes)  # type: ignore[arg-type]


def matrix_of_svg(drawing: bytes) -> list[list[int]]:
    """The modules that the path of the drawing blackens, without the quiet zone of four."""
    root = etree.fromstring(drawing)
    size = int(root.get("viewBox", "").split()[2])
    dark = [[0] * size for _ in range(size)]
    (path,) = [each for each in root if each.get("stroke") == "#000"]
    x = y = 0.0
    for step, numbers in re.findall(r"([Mmh])([-\d. ]+)", path.get("d", "")):
        if step == "h":
            dark[int(y)][int(x) : int(x) + int(numbers)] = [1] * int(numbers)
            x += int(numbers)
        else:
            dx, dy = (float(number) for number in numbers.split())
            x, y = (dx, dy) if step == "M" else (x + dx, y + dy)
    return [row[4:-4] for row in dark[4:-4]]


def expected(content: str) -> list[list[int]]:
    return [list(row) for row in segno.make_qr(content, error="m").matrix]


def test_the_code_of_a_product_follows_the_template() -> None:
    assert (
        qr.content(settings(webshop_id="my-shop"), "mug_1.2") == "HTTP://SEQR.SE/000/wss?w=my-shop&t=mug_1.2"
    )


def test_a_token_is_percent_encoded_and_no_template_itself() -> None:
    template = "{public_url}/scan/{token}?w={webshop_id}#{other}"
    found = settings(qr_template=template, public_url="https://shop.example/", webshop_id="s")
    assert qr.content(found, "a&b={webshop_id}") == (
        "https://shop.example/scan/a%26b%3D%7Bwebshop_id%7D?w=s#{other}"
    )


@pytest.mark.parametrize(
    ("content", "mode", "link"),
    [
        (INVOICE, "live", "seqr://SEQR.SE/R20150306072260070"),
        (INVOICE, "demo", "seqr-demo://SEQR.SE/R20150306072260070"),
        ("http://seqr.se/000/wss?t=x", "live", "seqr://seqr.se/000/wss?t=x"),
        ("http://127.0.0.1:8000/sandbox/phone?t=x", "demo", "http://127.0.0.1:8000/sandbox/phone?t=x"),
        ("HTTP://SEQR.SE.EXAMPLE/R1", "live", "HTTP://SEQR.SE.EXAMPLE/R1"),
    ],
)
def test_the_link_does_what_scanning_does(content: str, mode: str, link: str) -> None:
    assert qr.seqr_link(content, mode) == link


@pytest.mark.parametrize("content", [INVOICE, "http://shop.example/å", "x"])
def test_the_svg_is_the_code_of_its_content(content: str) -> None:
    assert matrix_of_svg(qr.svg(content)) == expected(content)


def test_the_png_is_the_code_of_its_content() -> None:
    picture = io.BytesIO()
    segno.make_qr(INVOICE, error="m").save(picture, kind="png", scale=3, border=4)
    assert qr.png(INVOICE, 3) == picture.getvalue()


def test_the_svg_has_a_size_scales_and_obeys_a_strict_policy() -> None:
    root = etree.fromstring(qr.svg(INVOICE, 3))
    side = len(expected(INVOICE)) + 8
    assert (root.get("width"), root.get("height")) == (str(3 * side), str(3 * side))
    assert root.get("viewBox") == f"0 0 {side} {side}"
    assert b"style" not in qr.svg(INVOICE)


@pytest.mark.parametrize(("asked", "given"), [(-1, 1), (0, 1), (7, 7), (1_000_000, 40)])
def test_the_scale_is_bounded(asked: int, given: int) -> None:
    assert qr.svg(INVOICE, asked) == qr.svg(INVOICE, given)


def test_the_documentation_shows_the_snippet_of_the_dashboard() -> None:
    assert qr.snippet("https://orchestrator.example", "mug", "my-shop") in DOCS.read_text(encoding="utf-8")


def test_a_token_that_looks_like_a_placeholder_is_only_a_token() -> None:
    found = qr.snippet("https://orchestrator.example", "WEBSHOP", "my-shop")
    assert 'purchaseToken: "WEBSHOP"' in found
    assert 'webshopId: "my-shop"' in found


def test_a_code_is_as_wide_as_its_picture() -> None:
    content = "HTTP://SEQR.SE/000/wss?w=demo&t=mug"
    assert f'width="{qr.side(content)}"' in qr.svg(content, 1).decode()
