"""A body in chunks: unpacked however it comes, up to its end, and nothing that is not one."""

from __future__ import annotations

import pytest

from orchestrator.front.chunks import Chunks
from orchestrator.front.head import LONGEST, Unreadable

BEHIND = b"GET / HTTP/1.1\r\n\r\n"


def unpacked(*pieces: bytes) -> tuple[bytes, bytes, bool]:
    """The body, what is left behind it, and whether it is over."""
    body, received = bytearray(), bytearray()
    chunks = Chunks(body.extend)
    for piece in pieces:
        received += piece
        chunks.take(received)
    return bytes(body), bytes(received), chunks.are_over


@pytest.mark.parametrize(
    ("text", "body"),
    [
        (b"0\r\n\r\n", b""),
        (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"00A\r\n\r\n\r\n\r\n\r\nab\r\n0\r\n\r\n", b"\r\n\r\n\r\n\r\nab"),
        (b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n"),
        (b"1;name=value\r\na\r\n2\r\nbc\r\n0;last\r\nX-Trailer: 1\r\n\r\n", b"abc"),
    ],
)
def test_it_ends_where_it_ends_in_whatever_pieces_it_comes(text: bytes, body: bytes) -> None:
    whole = text + BEHIND
    assert unpacked(whole) == (body, BEHIND, True)
    assert unpacked(*(bytes([byte]) for byte in whole)) == (body, BEHIND, True)
    for at in range(1, len(whole)):
        assert unpacked(whole[:at], whole[at:]) == (body, BEHIND, True), at


@pytest.mark.parametrize(
    "text",
    [
        b"2\nab\n0\n\n",
        b"0x2\r\nab\r\n0\r\n\r\n",
        b"2\r\nabXX\r\n0\r\n\r\n",
        b"2 \r\nab\r\n0\r\n\r\n",
        b"+2\r\nab\r\n0\r\n\r\n",
        b"-2\r\nab\r\n0\r\n\r\n",
        b"2\r\nab\r\n0\r\nX Trailer: 1\r\n\r\n",
        b"2\r\nab\r\n0\r\nX-Trailer: a\nb: c\r\n\r\n",
        b"2;a\nb\r\nab\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\nab",
        b"\r\n\r\n",
        b"g\r\n",
    ],
)
def test_what_two_programs_may_read_differently_is_refused(text: bytes) -> None:
    with pytest.raises(Unreadable):
        unpacked(text)
    with pytest.raises(Unreadable):
        unpacked(*(bytes([byte]) for byte in text))


@pytest.mark.parametrize(
    "beside", [b"1;" + b"x" * LONGEST, b"0\r\nX: " + b"x" * LONGEST, b"0" * LONGEST + b"1"]
)
def test_what_is_no_body_is_not_taken_for_ever(beside: bytes) -> None:
    pieces = [beside[at : at + 1000] for at in range(0, len(beside), 1000)]
    with pytest.raises(Unreadable):
        unpacked(b"2\r\nab\r\n", *pieces)


def test_a_large_chunk_may_come_in_many_pieces() -> None:
    pieces = [b"x" * 50_000] * 4
    body, behind, over = unpacked(b"30d40\r\n", *pieces, b"\r\n0\r\n\r\n")
    assert (len(body), behind, over) == (200_000, b"", True)
