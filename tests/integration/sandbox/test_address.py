"""The phone's address page: what it is for, and what it remembers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.sandbox import Scene
from tests.integration.sandbox.test_phone import ADDRESS, show


@pytest.mark.parametrize(
    "refusal",
    [
        None,
        (409, {"errorCode": "OUT_OF_STOCK"}),
        (400, {"errorCode": "INVALID_REQUEST", "fields": {"zip": "?"}}),
    ],
)
async def test_the_address_is_remembered(scene: Scene, refusal: tuple[int, Any] | None) -> None:
    scene.shop.refusal = refusal
    async with scene.http.post(f"{scene.phone_url}/confirm", data=ADDRESS, allow_redirects=False) as answer:
        cookies = {name: morsel.value for name, morsel in answer.cookies.items()}
    async with scene.http.get(f"{scene.phone_url}?w=demo&t=mug-1", cookies=cookies) as answer:
        page = await answer.text()

    assert "Åsa O&#39;Neill &lt;b&gt;" in page


async def test_the_address_page_says_what_it_is_for(scene: Scene) -> None:
    page = await show(scene, "?w=demo&t=mug-1")
    unknown = await show(scene, "?w=demo&t=nothing-of-the-kind")

    assert "<dt>Mug &amp; saucer</dt><dd>149,00\N{NO-BREAK SPACE}kr</dd>" in page
    assert "<dt>" not in unknown


@pytest.mark.parametrize("cookie", ["%%%", "bm90IGpzb24=", "WzFd", "/w=="])
async def test_a_broken_cookie_is_forgotten(scene: Scene, cookie: str) -> None:
    headers = {"Cookie": f"sandbox_customer={cookie}"}
    async with scene.http.get(f"{scene.phone_url}?w=demo&t=mug-1", headers=headers) as answer:
        assert "Astrid Lindqvist" in await answer.text()
