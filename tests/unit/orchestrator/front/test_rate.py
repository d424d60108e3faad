"""How often one address may ask."""

from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Scope

from orchestrator.front import rate
from orchestrator.front.rate import Rate, RateLimit

STRANGER, OTHER = "192.0.2.7", "192.0.2.8"


class Clock:
    at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_so_many_at_once_and_then_one_after_the_other() -> None:
    clock = Clock()
    limit = Rate(60, clock)
    assert [limit.wait(STRANGER) for _ in range(60)] == [0.0] * 60
    assert limit.wait(STRANGER) == pytest.approx(1.0)
    assert limit.wait(STRANGER) == pytest.approx(1.0), "what is refused does not count"
    assert limit.wait(OTHER) == 0.0
    clock.at += 1.0
    assert limit.wait(STRANGER) == 0.0
    assert limit.wait(STRANGER) > 0
    clock.at += 60
    assert [limit.wait(STRANGER) for _ in range(60)] == [0.0] * 60
    assert limit.wait(STRANGER) > 0


def test_an_ipv6_network_is_one_address() -> None:
    limit = Rate(2, Clock())
    assert [limit.wait(f"2001:db8::{number}") > 0 for number in range(3)] == [False, False, True]
    assert limit.wait("2001:db8:0:1::1") == 0.0


@pytest.mark.parametrize(("per_minute", "address"), [(0, STRANGER), (1, "127.0.0.1"), (1, "::1")])
def test_some_are_not_limited(per_minute: int, address: str) -> None:
    limit = Rate(per_minute, Clock())
    assert {limit.wait(address) for _ in range(100)} == {0.0}


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "_MOST_ADDRESSES", 2)
    limit = Rate(1, Clock())
    assert [limit.wait(f"192.0.2.{number}") for number in (1, 2, 3)] == [0.0] * 3
    assert limit.wait("192.0.2.3") > 0
    assert limit.wait("192.0.2.1") == 0.0, "forgotten"


async def asked(app: ASGIApp, path: str, client: tuple[str, int] | None) -> tuple[int, str]:
    """Status and Retry-After."""
    answers: list[Message] = []

    async def nothing() -> Message:
        return {"type": "http.request"}

    async def answer(message: Message) -> None:
        answers.append(message)

    scope: Scope = {"type": "http", "method": "POST", "path": path, "client": client, "headers": []}
    await app(scope, nothing, answer)
    headers = dict(answers[0]["headers"])
    return answers[0]["status"], headers.get(b"retry-after", b"").decode()


async def test_a_refusal_says_when_to_come_again() -> None:
    app = RateLimit(PlainTextResponse("fine"), {"/seqr/": Rate(2, Clock()), "/api/": Rate(1, Clock())})
    caller = (STRANGER, 1)
    assert [await asked(app, "/seqr/createPurchase", caller) for _ in range(3)] == [
        (200, ""),
        (200, ""),
        (429, "30"),
    ]
    assert await asked(app, "/api/v1/purchases", caller) == (200, "")
    assert await asked(app, "/api/v1/products", caller) == (429, "60")
    assert [await asked(app, "/", caller) for _ in range(3)] == [(200, "")] * 3
    assert [await asked(app, "/seqr/x", None) for _ in range(2)] == [(200, "")] * 2
