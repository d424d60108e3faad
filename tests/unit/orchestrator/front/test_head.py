"""The head of a request: what is read, what is refused, and that h11 would read no more out of it."""

from __future__ import annotations

import random

import h11
import pytest

from orchestrator.front.head import LONGEST, Head, Unreadable, check_beginning, read

LINE = b"POST /echo?a=1 HTTP/1.1\r\n"
HOST = b"Host: shop\r\n"


def head(*lines: bytes, line: bytes = LINE) -> Head:
    return read(b"".join((line, *(text + b"\r\n" for text in lines), b"\r\n")))


def test_a_head_is_read_whole() -> None:
    found = head(b"Host: shop", b"X-Empty:", b"X-Odd:  \xe5 b\t", b"Content-Length: 12", b"x-odd: again")
    assert (found.method, found.target, found.version) == (b"POST", b"/echo?a=1", b"1.1")
    assert found.headers == [
        (b"host", b"shop"),
        (b"x-empty", b""),
        (b"x-odd", b"\xe5 b"),
        (b"content-length", b"12"),
        (b"x-odd", b"again"),
    ]
    assert (found.length, found.keeps_alive, found.expects_continue) == (12, True, False)


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        ((), 0),
        ((b"Content-Length: 0",), 0),
        ((b"CONTENT-LENGTH: 007 ",), 7),
        ((b"Content-Length: 99999999999999999999",), 99999999999999999999),
        ((b"Transfer-Encoding: Chunked",), None),
        ((b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: 5"), 5),
    ],
)
def test_how_long_the_body_is(lines: tuple[bytes, ...], length: int | None) -> None:
    assert head(b"Host: shop", *lines).length == length


@pytest.mark.parametrize(
    ("line", "header", "keeps_alive"),
    [
        (LINE, b"Connection: keep-alive", True),
        (LINE, b"Connection: Keep-Alive , CLOSE", False),
        (LINE, b"Connection: closed", True),
        (LINE.replace(b"1.1", b"1.0"), b"Connection: keep-alive", False),
    ],
)
def test_whether_the_connection_goes_on(line: bytes, header: bytes, keeps_alive: bool) -> None:
    assert head(b"Host: shop", header, line=line).keeps_alive is keeps_alive


def test_who_waits_to_be_asked_for_the_body_is_known() -> None:
    assert head(b"Host: shop", b"Expect: 100-Continue").expects_continue
    assert not head(b"Host: shop", b"Expect: more").expects_continue
    assert not head(b"Expect: 100-continue", line=b"POST / HTTP/1.0\r\n").expects_continue


@pytest.mark.parametrize(
    "line",
    [
        b"GET  / HTTP/1.1\r\n",
        b"GET\t/ HTTP/1.1\r\n",
        b" GET / HTTP/1.1\r\n",
        b"\r\nGET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1 \r\n",
        b"GET / HTTP/1.1\n",
        b"GET /\r\n",
        b"GET / HTTP/0.9\r\n",
        b"GET / HTTP/1.2\r\n",
        b"GET / HTTP/2.0\r\n",
        b"GET / http/1.1\r\n",
        b"GET / RTSP/1.0\r\n",
        b"G@T / HTTP/1.1\r\n",
        b"GET /a b HTTP/1.1\r\n",
        b"GET /\xe5 HTTP/1.1\r\n",
        b"GET /\x7f HTTP/1.1\r\n",
        b"GET /\0 HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\r\n",
    ],
)
def test_a_line_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(Unreadable):
        read(line + HOST + b"\r\n")


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (b"Host: shop", b"Host: shop"),
        (b"Host: shop", b"Content-Length: 5", b"Content-Length: 5"),
        (b"Host: shop", b"Content-Length: 5, 5"),
        (b"Host: shop", b"Content-Length: +5"),
        (b"Host: shop", b"Content-Length: -5"),
        (b"Host: shop", b"Content-Length: 5 5"),
        (b"Host: shop", b"Content-Length: 0x5"),
        (b"Host: shop", b"Content-Length: 5_0"),
        (b"Host: shop", b"Content-Length:"),
        (b"Host: shop", b"Content-Length: 999999999999999999999"),
        (b"Host: shop", b"Transfer-Encoding: chunked", b"Content-Length: 5"),
        (b"Host: shop", b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        (b"Host: shop", b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        (b"Host: shop", b"Transfer-Encoding: gzip, chunked"),
        (b"Host: shop", b"Transfer-Encoding: chunked, identity"),
        (b"Host: shop", b"Transfer-Encoding: \x0bchunked"),
        (b"Host: shop", b"Transfer-Encoding: identity"),
        (b"Host: shop", b"Transfer-Encoding:"),
        (b"Host: shop", b"Content-Length : 5"),
        (b"Host: shop", b" folded: 1"),
        (b"Host: shop", b"X: 1", b"\tfolded"),
        (b"Host: shop", b": nameless"),
        (b"Host: shop", b"no colon"),
        (b"Host: shop", b"sp ace: 1"),
        (b"Host: shop", b"\xe5: 1"),
        (b"Host: shop", b"X: a\rb"),
        (b"Host: shop", b"X: a\nb"),
        (b"Host: shop", b"X: a\0b"),
        (b"Host: shop", b"X: a\x01b"),
        (b"Host: shop", b"X: a\x7fb"),
        (b"Host: shop", b"X: " + b"x" * LONGEST),
    ],
)
def test_a_header_that_may_be_read_in_two_ways_is_refused(lines: tuple[bytes, ...]) -> None:
    with pytest.raises(Unreadable):
        head(*lines)


def test_chunks_are_of_http_1_1() -> None:
    with pytest.raises(Unreadable):
        head(b"Host: shop", b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.0\r\n")
    assert head(line=b"POST / HTTP/1.0\r\n").length == 0


def _is_no_beginning(text: bytes) -> bool:
    """Whether it is refused as soon as the byte is there that is wrong, however it comes in pieces."""
    looked = 0
    for size in range(1, len(text) + 1):
        try:
            check_beginning(bytearray(text[:size]), looked)
        except Unreadable:
            return True
        looked = max(size - 3, 0)
    return False


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1\nHost",
        b"GET / HTTP/1.1\r\nHost: shop\n",
        b"GET / HTTP/1.1\r\nHost: shop\rX",
        b"GET / HTTP/1.1\r\nHost: shop\r\n X",
        b"GET / HTTP/1.1\r\nHost: shop\r\n\tX",
        b"\r",
        b"\x16\x03\x01\x02",
        b"\x80",
    ],
)
def test_what_no_head_begins_with_is_known_before_it_ends(text: bytes) -> None:
    assert _is_no_beginning(text)
    with pytest.raises(Unreadable):
        check_beginning(text, 0)


def test_a_head_that_is_not_whole_is_waited_for_until_it_is_too_long() -> None:
    assert not _is_no_beginning(b"GET / HTTP/1.1\r\nHost: shop\r\nX-Y: z\r\n\r")
    check_beginning(b"GET /" + b"x" * (LONGEST - 5), 0)
    with pytest.raises(Unreadable):
        check_beginning(b"GET /" + b"x" * (LONGEST - 4), 0)


PIECES = (
    b"\r\n", b"\r", b"\n", b"\r\n\r\n", b" ", b"\t", b":", b": ", b",", b"\0", b"\x0b", b"\x7f", b"\x80",
    b"\xa0", b"1", b"0", b"+", b"-", b"chunked", b"close", b"Host: x\r\n", b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"HTTP/1.1", b"HTTP/1.0", b"GET ", b"/",
)  # fmt: skip
HEADS = (
    LINE + HOST + b"Content-Length: 3\r\nConnection: keep-alive\r\nX-A: b c\r\n\r\n",
    LINE + HOST + b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
    b"GET / HTTP/1.0\r\nUser-Agent: a/1 (b; c)\r\nAccept: */*\r\n\r\n",
)


def _mutated(chance: random.Random) -> bytes:
    text = chance.choice(HEADS)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text))
        until = at + chance.choice((0, 0, 1, 2, 10))
        text = text[:at] + chance.choice((b"", *PIECES)) + text[until:]
    return text


def test_h11_reads_the_same_in_whatever_is_read_at_all() -> None:
    chance = random.Random(1)
    read_at_all = 0
    for text in [*HEADS, *(_mutated(chance) for _ in range(5000))]:
        try:
            found = read(text)
        except Unreadable:
            continue
        read_at_all += 1
        theirs = h11.Connection(h11.SERVER)
        theirs.receive_data(text)
        event = theirs.next_event()
        assert isinstance(event, h11.Request), text
        assert (event.method, event.target, event.http_version) == (found.method, found.target, found.version)
        headers = dict(event.headers)
        assert list(event.headers) == [
            (name, b"chunked" if name == b"transfer-encoding" else value) for name, value in found.headers
        ], text
        if found.length is None:
            assert headers[b"transfer-encoding"] == b"chunked"
        else:
            assert int(headers.get(b"content-length", b"0")) == found.length
        assert (theirs.next_event() is h11.NEED_DATA) is (found.length != 0), text
        assert theirs.they_are_waiting_for_100_continue is (found.expects_continue and found.length != 0)
    assert read_at_all > 500
