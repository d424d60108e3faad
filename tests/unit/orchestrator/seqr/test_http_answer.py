"""HTTP answers as they come in: in any pieces, whole or not at all, and bounded."""

from __future__ import annotations

import gzip
import zlib
from random import Random

import pytest

from orchestrator.seqr.errors import Lost
from orchestrator.seqr.http_answer import GARBLED, LARGEST_ANSWER, LARGEST_HEAD, HttpAnswer, IncomingAnswer

SHORT = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"1\r\nh\r\n1;x=y\r\ni\r\n0\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n"
)
CONTINUED = b"HTTP/1.1 100 Continue\r\nContent-Type: no/no\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + SHORT
UNTIL_THE_END = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\nhi"
SAID = HttpAnswer(200, "OK", "text/xml", b"hi")


def fed(*pieces: bytes) -> IncomingAnswer:
    incoming = IncomingAnswer()
    for piece in pieces:
        incoming.feed(piece)
    return incoming


def whole(body: bytes, *head: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", *head, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.mark.parametrize("message", [SHORT, CHUNKED, CONTINUED], ids=["short", "chunked", "continued"])
def test_an_answer_comes_in_any_pieces(message: bytes) -> None:
    chance = Random(1)
    assert fed(message).whole == SAID
    for _ in range(50):
        incoming, rest = IncomingAnswer(), message
        while rest:
            assert incoming.whole is None
            size = chance.randrange(1, 9)
            incoming.feed(rest[:size])
            rest = rest[size:]
        assert incoming.whole == SAID
        assert incoming.reusable


@pytest.mark.parametrize(
    "message",
    [
        SHORT.replace(b"Content-Type", b"Connection: close\r\nContent-Type"),
        SHORT.replace(b"HTTP/1.1", b"HTTP/1.0"),
        SHORT + b"more",
        SHORT + SHORT.replace(b"hi", b"ho").replace(b"200 OK", b"500 No").replace(b"xml", b"no"),
        SHORT + UNTIL_THE_END.replace(b"hi", b"ho").replace(b"200 OK", b"500 No"),
        SHORT + b"HTTP/1.1 2",
        SHORT + b"HTTP/1.1 100 Continue\r\n\r\n",
        CHUNKED + b"0\r\n\r\n",
    ],
)
def test_what_spoils_the_connection_leaves_the_answer(message: bytes) -> None:
    incoming = fed(message)
    assert incoming.whole == SAID
    assert not incoming.reusable


@pytest.mark.parametrize("size", range(len(SHORT)))
def test_what_is_cut_off_is_no_answer(size: int) -> None:
    incoming = fed(SHORT[:size])
    assert incoming.whole is None
    with pytest.raises(EOFError, match="closed the connection"):
        incoming.end()


@pytest.mark.parametrize(
    "message", [CHUNKED[:-2], CONTINUED[: -len(SHORT)], b"", CHUNKED.replace(b"chunked", b"gzip")]
)
def test_the_end_of_the_connection_is_not_that_of_every_answer(message: bytes) -> None:
    with pytest.raises(EOFError):
        fed(message).end()


def test_without_a_length_an_answer_lasts_as_long_as_the_connection() -> None:
    incoming = fed(UNTIL_THE_END[:-1], UNTIL_THE_END[-1:])
    incoming.end()
    assert incoming.whole == SAID
    assert not incoming.reusable


@pytest.mark.parametrize(
    "message",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01",
        b"HTTP/1.1 OK\r\n\r\n",
        SHORT.replace(b"Length: 2", b"Length: two"),
        SHORT.replace(b"Length: 2", b"Length: 2\r\nContent-Length: 3"),
        CHUNKED.replace(b"Transfer", b"Content-Length: 2\r\nTransfer"),
        CHUNKED.replace(b"\r\n1\r\nh", b"\r\nx\r\nh"),
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhi",
    ],
)
def test_what_is_no_http_is_refused(message: bytes) -> None:
    with pytest.raises(GARBLED):
        fed(message)


@pytest.mark.parametrize("status", [204, 304])
def test_some_answers_have_no_body(status: int) -> None:
    assert fed(f"HTTP/1.1 {status} X\r\n\r\n".encode()).whole == HttpAnswer(status, "X", "", b"")


@pytest.mark.parametrize(
    ("line", "reason"), [("500 ", "Internal Server Error"), ("799 ", ""), ("200 Så", "Så")]
)
def test_a_reason_is_given_where_there_is_none(line: str, reason: str) -> None:
    came = fed(f"HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n".encode()).whole
    assert came is not None
    assert came.reason == reason


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(b"hi", mtime=0)),
        ("X-GZIP", gzip.compress(b"hi", mtime=0)),
        ("deflate", zlib.compress(b"hi")),
    ],
)
def test_a_packed_answer_is_unpacked(coding: str, packed: bytes) -> None:
    assert fed(whole(packed, "Content-Type: text/xml", f"Content-Encoding: {coding}")).whole == SAID


@pytest.mark.parametrize("packed", [b"hi", b"", gzip.compress(b"hi", mtime=0)[:-1], b"\x1f\x8b"])
def test_what_cannot_be_unpacked_is_refused(packed: bytes) -> None:
    with pytest.raises(GARBLED):
        fed(whole(packed, "Content-Encoding: gzip"))


@pytest.mark.parametrize("coding", ["identity", "br", "klingon"])
def test_what_we_cannot_unpack_stays_as_it_is(coding: str) -> None:
    assert fed(whole(b"hi", "Content-Type: text/xml", f"Content-Encoding: {coding}")).whole == SAID


def test_the_first_of_two_headers_counts() -> None:
    assert fed(whole(b"hi", "Content-Type: text/xml", "content-type: text/html")).whole == SAID


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["body", "chunks", "trailers", "head", "continue"],
)
def test_reading_stops_somewhere(begin: bytes, more: bytes) -> None:
    piece = more * (LARGEST_HEAD // len(more) // 2)
    with pytest.raises(Lost, match="larger than 4 MiB"):
        fed(begin, *[piece] * (LARGEST_ANSWER // len(piece) + 2))


def test_a_bomb_is_unpacked_in_part() -> None:
    with pytest.raises(Lost, match="larger than 4 MiB"):
        fed(whole(gzip.compress(b" " * 8 * LARGEST_ANSWER), "Content-Encoding: gzip"))


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        ("text/xml; charset=UTF-8", "UTF-8"),
        ('text/xml;charset="x"', "x"),
        ("text/xml", None),
        ("", None),
        (";;", None),
    ],
)
def test_a_charset_is_the_content_types(content_type: str, charset: str | None) -> None:
    assert HttpAnswer(200, "OK", content_type, b"").charset == charset
