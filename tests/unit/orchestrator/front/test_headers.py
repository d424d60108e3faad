"""What every answer carries beside its own headers."""

from __future__ import annotations

import pytest
from starlette.types import Message, Receive, Scope, Send

from orchestrator.front.headers import STRICT, Header, SafeAnswers

NO_STORE, NO_CACHE = (b"cache-control", b"no-store"), (b"cache-control", b"no-cache")
A_YEAR = (b"strict-transport-security", b"max-age=31536000")


async def completed(*given: Header, path: str = "/", https: bool = False) -> list[Header]:
    """The headers of an answer that had these."""
    sent: list[Message] = []
    own = list(given)

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": own})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "scheme": "http", "headers": [(b"host", b"shop:80")]}
    await SafeAnswers(app, https=https)(scope, receive, send)
    assert own == list(given), "the answer may be given again"
    assert len(sent) == 2
    return list(sent[0]["headers"])


async def test_an_answer_gets_what_it_lacks_behind_its_own() -> None:
    own = (b"content-type", b"text/plain")
    assert await completed(own) == [own, *STRICT, NO_STORE]
    assert await completed(own, https=True) == [own, *STRICT, A_YEAR, NO_STORE]
    assert await completed(path="/static/x.css") == [*STRICT, NO_CACHE]


@pytest.mark.parametrize("name", [*(name for name, _ in STRICT), b"cache-control"])
async def test_what_an_answer_says_itself_stays(name: bytes) -> None:
    own = (name, b"own")
    assert await completed(own) == [own, *(header for header in (*STRICT, NO_STORE) if header[0] != name)]


@pytest.mark.parametrize(
    ("location", "told"),
    [
        (b"http://shop:80/login", b"/login"),
        (b"https://shop:80//evil", b"/evil"),
        (b"/purchases", b"/purchases"),
        (b"https://elsewhere/x", b"https://elsewhere/x"),
    ],
)
async def test_a_redirect_to_us_is_told_without_the_host(location: bytes, told: bytes) -> None:
    assert await completed((b"location", location)) == [(b"location", told), *STRICT, NO_STORE]
