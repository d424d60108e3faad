"""An answer on its way out: framed right, in as few pieces as can be, and never more than one."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from orchestrator.front.answer import Answer

Headers = list[tuple[bytes, bytes]]


class Wire(asyncio.Transport):
    """Keeps what is written to it, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.pieces.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


class Telling:
    """One answer to one request."""

    def __init__(self, method: str = "GET", *, keep_alive: bool = True) -> None:
        self.wire = Wire()
        self.completed = 0
        self.answer = Answer(
            scope={"type": "http", "method": method},  # type: ignore[typeddict-item]
            transport=self.wire,
            flow=FlowControl(self.wire),
            logger=logging.getLogger("test"),
            access_logger=logging.getLogger("test"),
            access_log=False,
            default_headers=[(b"date", b"today")],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=self.complete,
        )

    def complete(self) -> None:
        self.completed += 1

    async def begin(self, status: int = 200, *headers: tuple[bytes, bytes]) -> None:
        await self.answer.send({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def go_on(self, body: bytes, *, more: bool = False) -> None:
        await self.answer.send({"type": "http.response.body", "body": body, "more_body": more})


def of_length(length: int) -> tuple[bytes, bytes]:
    return b"content-length", str(length).encode()


async def test_a_short_answer_goes_out_in_one_piece() -> None:
    told = Telling()
    await told.begin(200, of_length(5), (b"X-Upper", b"as it is"))
    assert told.wire.pieces == []
    await told.go_on(b"hello")
    assert told.wire.pieces == [
        b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 5\r\nx-upper: as it is\r\n\r\nhello"
    ]
    assert (told.completed, told.wire.closed) == (1, False)


async def test_a_long_one_of_known_length_goes_on_as_it_comes() -> None:
    told = Telling()
    await told.begin(200, of_length(4))
    await told.go_on(b"ab", more=True)
    await told.go_on(b"cd")
    assert [piece[-2:] for piece in told.wire.pieces] == [b"ab", b"cd"]
    assert told.completed == 1


async def test_a_large_one_is_not_copied_behind_its_head() -> None:
    told, body = Telling(), b"x" * 100_000
    await told.begin(200, of_length(len(body)))
    await told.go_on(body)
    assert [len(piece) for piece in told.wire.pieces] == [len(told.wire.pieces[0]), len(body)]


async def test_the_head_of_a_stream_waits_for_nothing() -> None:
    told = Telling()
    await told.begin()
    assert told.wire.pieces == [b"HTTP/1.1 200 OK\r\ndate: today\r\ntransfer-encoding: chunked\r\n\r\n"]
    await told.go_on(b"", more=True)
    await told.go_on(b"x" * 17, more=True)
    await told.go_on(b"end")
    assert told.wire.pieces[1:] == [b"11\r\n" + b"x" * 17 + b"\r\n", b"3\r\nend\r\n0\r\n\r\n"]


@pytest.mark.parametrize(
    ("method", "status", "headers", "body"),
    [
        ("HEAD", 200, [of_length(5)], b"hello"),
        ("HEAD", 200, [], b"hello"),
        ("GET", 204, [], b""),
        ("GET", 304, [of_length(5)], b""),
    ],
)
async def test_where_no_body_belongs_there_is_none(
    method: str, status: int, headers: Headers, body: bytes
) -> None:
    told = Telling(method)
    await told.begin(status, *headers)
    await told.go_on(body)
    written = b"".join(told.wire.pieces)
    assert written.endswith(b"\r\n\r\n")
    assert written.count(b"\r\n\r\n") == 1
    assert b"chunked" not in written
    assert told.completed == 1


@pytest.mark.parametrize(
    ("keep_alive", "headers"),
    [(False, []), (True, [(b"connection", b"Close")]), (False, [(b"connection", b"close")])],
)
async def test_a_connection_that_ends_is_told_so_once_and_closed(keep_alive: bool, headers: Headers) -> None:
    told = Telling(keep_alive=keep_alive)
    await told.begin(200, of_length(0), *headers)
    await told.go_on(b"")
    assert b"".join(told.wire.pieces).lower().count(b"connection: close\r\n") == 1
    assert told.wire.closed


@pytest.mark.parametrize(
    "header",
    [
        (b"x-a", b"a\r\nset-cookie: b"),
        (b"x-a", b"a\nb"),
        (b"x-a", b"a\0b"),
        (b"x-a: b\r\nc", b"d"),
        (b"x a", b"b"),
        (b"", b"b"),
        (b"transfer-encoding", b"chunked"),
    ],
)
async def test_what_is_no_header_is_not_written(header: tuple[bytes, bytes]) -> None:
    told = Telling()
    with pytest.raises(RuntimeError):
        await told.begin(200, header)
    assert told.wire.pieces == []


@pytest.mark.parametrize("bodies", [[b"abcd"], [b"ab"], [b"ab", b"cd"]])
async def test_a_body_of_another_length_than_was_said_is_not_whole(bodies: list[bytes]) -> None:
    told = Telling()
    await told.begin(200, of_length(3))
    *first, last = bodies
    for body in first:
        await told.go_on(body, more=True)
    with pytest.raises(RuntimeError):
        await told.go_on(last)
    assert told.completed == 0


async def test_there_is_one_answer_in_its_order() -> None:
    told = Telling()
    with pytest.raises(RuntimeError):
        await told.go_on(b"")
    await told.begin(200, of_length(0))
    with pytest.raises(RuntimeError):
        await told.begin(200, of_length(0))
    await told.go_on(b"")
    with pytest.raises(RuntimeError):
        await told.go_on(b"")
    assert told.completed == 1


async def test_who_has_gone_is_told_nothing() -> None:
    told = Telling()
    told.answer.disconnected = True
    await told.begin(200, of_length(0))
    await told.go_on(b"")
    assert (told.wire.pieces, told.completed) == ([], 0)
