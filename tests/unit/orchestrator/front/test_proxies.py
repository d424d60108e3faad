"""Who calls: told by trusted proxies, and by nobody else."""

from __future__ import annotations

import pytest
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from orchestrator.front.proxies import TrustedProxies, caller, is_loopback, is_within, networks
from orchestrator.logs import RequestLog

PROXIES = networks("10.0.0.0/8, ::1")


def test_networks_come_in_any_list() -> None:
    assert [str(network) for network in PROXIES] == ["10.0.0.0/8", "::1/128"]
    assert networks("") == ()
    with pytest.raises(ValueError, match="shop"):
        networks("shop.example")


@pytest.mark.parametrize(
    ("peer", "hops", "expected"),
    [
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["192.0.2.7", "10.0.0.2"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1", "192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["192.0.2.7", "unknown"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7", ""], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.3", "10.0.0.2"], "10.0.0.3"),
        ("192.0.2.9", ["192.0.2.7"], "192.0.2.9"),
        ("::1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["192.0.2.7:80"], "192.0.2.7"),
        ("10.0.0.1", ["192.0.2.7\n10.9.9.9"], "10.0.0.1"),
        ("testclient", ["192.0.2.7"], "testclient"),
    ],
)
def test_the_caller_is_the_first_address_that_no_proxy_of_ours_has(
    peer: str, hops: list[str], expected: str
) -> None:
    assert caller(peer, hops, PROXIES) == expected


def test_this_machine_is_known_by_any_of_its_names() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("127.9.9.9")
    assert is_loopback("::1")
    assert is_loopback("::ffff:127.0.0.1")
    assert not is_loopback("192.0.2.7")
    assert not is_loopback("localhost")
    assert not is_within("localhost", networks("0.0.0.0/0"))


async def seen(
    peer: str, *headers: tuple[str, str], trusted: str = "10.0.0.0/8", header: str = "x-forwarded-for"
) -> tuple[str, str]:
    """Address and scheme that the application sees."""
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)

    async def nothing() -> Message:
        return {"type": "http.request"}

    async def nowhere(_: Message) -> None: ...

    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": "http", "client": (peer, 1), "scheme": "http", "headers": raw}
    await TrustedProxies(app, networks(trusted), header)(scope, nothing, nowhere)
    return scopes[0]["client"][0], scopes[0]["scheme"]


async def test_a_trusted_proxys_word_is_taken() -> None:
    told = (("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "192.0.2.7, 10.0.0.2"))
    assert await seen("10.0.0.1", *told, ("x-forwarded-proto", "https")) == ("192.0.2.7", "https")
    assert await seen("10.0.0.1", *told, ("x-forwarded-proto", "javascript")) == ("192.0.2.7", "http")


async def test_nobody_elses_word_is_taken() -> None:
    told = (("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "https"))
    assert await seen("192.0.2.7", *told) == ("192.0.2.7", "http")
    assert await seen("127.0.0.1", *told, trusted="") == ("127.0.0.1", "http")


async def test_only_the_header_that_the_proxy_writes_counts() -> None:
    both = (("x-forwarded-for", "192.0.2.7"), ("forwarded", 'for="[2001:db8::1]:47";proto=https;by=10.0.0.1'))
    assert await seen("10.0.0.1", *both) == ("192.0.2.7", "http")
    assert await seen("10.0.0.1", *both, header="forwarded") == ("2001:db8::1", "https")
    assert await seen("10.0.0.1", both[0], header="forwarded") == ("10.0.0.1", "http")
    chain = ("forwarded", "for=198.51.100.1, For=192.0.2.7;Proto=HTTPS")
    assert await seen("10.0.0.1", chain, header="forwarded") == ("192.0.2.7", "https")
    assert await seen("10.0.0.1", ("forwarded", "for=_hidden"), header="forwarded") == ("10.0.0.1", "http")


async def test_a_proxy_that_was_not_named_is_told_of_once() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    async def nothing() -> Message:
        return {"type": "http.request"}

    async def nowhere(_: Message) -> None: ...

    front = TrustedProxies(app, ())
    scope = {"type": "http", "client": ("127.0.0.1", 1), "headers": [(b"x-forwarded-for", b"192.0.2.7")]}
    with capture_logs() as logged:
        await front(scope, nothing, nowhere)
        await front(scope, nothing, nowhere)
        await front({"type": "lifespan"}, nothing, nowhere)
    assert [(entry["event"], entry["address"]) for entry in logged] == [("proxy.unknown", "127.0.0.1")]


async def test_the_log_tells_the_callers_address() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    async def nothing() -> Message:
        return {"type": "http.request"}

    async def nowhere(_: Message) -> None: ...

    scope: Scope = {"type": "http", "method": "GET", "path": "/", "client": ("10.0.0.1", 1)}
    scope["headers"] = [(b"x-forwarded-for", b"192.0.2.7")]
    with capture_logs() as logged:
        await TrustedProxies(RequestLog(app), PROXIES)(scope, nothing, nowhere)
    assert [entry["address"] for entry in logged] == ["192.0.2.7"]
