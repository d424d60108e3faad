"""The QR codes over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from orchestrator import qr
from orchestrator.database import Database
from tests.fixtures.codes import serving_codes

MUG = "HTTP://SEQR.SE/000/wss?w=demo&t=mug"


@pytest.fixture
async def http(database: Database) -> AsyncIterator[aiohttp.ClientSession]:
    async with serving_codes(database) as address, aiohttp.ClientSession(address) as session:
        yield session


@pytest.mark.parametrize(
    ("path", "media_type", "drawing"),
    [
        ("/qr/mug.svg", "image/svg+xml", qr.svg(MUG)),
        ("/qr/mug.svg?scale=3", "image/svg+xml", qr.svg(MUG, 3)),
        ("/qr/mug.png", "image/png", qr.png(MUG)),
        ("/qr/mug.png?scale=40", "image/png", qr.png(MUG, 40)),
    ],
)
async def test_a_code_is_drawn(
    http: aiohttp.ClientSession, path: str, media_type: str, drawing: bytes
) -> None:
    async with http.get(path) as answer:
        assert answer.status == 200
        assert answer.content_type == media_type
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "max-age" in answer.headers["Cache-Control"]
        assert await answer.read() == drawing
        etag = answer.headers["ETag"]
    async with http.get(path, headers={"If-None-Match": etag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")


@pytest.mark.parametrize("token", ["nothing", "old", "%00", "a%20b", "x" * 300])
async def test_what_is_not_for_sale_has_no_code(http: aiohttp.ClientSession, token: str) -> None:
    async with http.get(f"/qr/{token}.svg") as answer:
        assert answer.status == 404
        assert answer.headers["Cache-Control"] == "no-store"
        assert await answer.json() == {
            "error": "unknown_purchase_token",
            "message": "No product or bundle with that token is for sale.",
        }


@pytest.mark.parametrize("scale", ["0", "41", "-1", "1.5", "", "x", "9" * 5000, "²", "٣"])
async def test_a_scale_out_of_bounds_is_refused(http: aiohttp.ClientSession, scale: str) -> None:
    async with http.get("/qr/mug.png", params={"scale": scale}) as answer:
        assert answer.status == 422
        assert "1 to 40" in (await answer.json())["message"]


async def test_the_script_knows_this_shop(http: aiohttp.ClientSession) -> None:
    sources = []
    for path in ("/static/seqrQRCode.js", "/seqrQRCode.js"):
        async with http.get(path) as answer:
            assert answer.content_type == "text/javascript"
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            sources.append(await answer.text())
    assert sources[0] == sources[1]
    assert '"live": "seqr://SEQR.SE/000/wss?w=demo&t={token}"' in sources[0]
    assert '"demo": "seqr-demo://SEQR.SE/000/wss?w=demo&t={token}"' in sources[0]
    assert len(sources[0]) < 4096
