"""The barest HTTP: what measures must lose nothing, and say when it could not measure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bench.errors import BenchError
from bench.wire import Answer, Answering, Wire


class Pieces(Answering):
    """Writes its answers byte by byte, and counts the connections."""

    made: int = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        Pieces.made += 1

    def write(self, data: bytes) -> None:
        for byte in data:
            super().write(bytes([byte]))


class Silent(Answering):
    """Closes instead of answering."""

    def write(self, data: bytes) -> None:
        self.close()


@asynccontextmanager
async def served(kind: Callable[..., Answering]) -> AsyncIterator[Wire]:
    def answer(target: bytes, body: bytes) -> bytes:
        return target + b" " + body

    server = await asyncio.get_running_loop().create_server(lambda: kind(answer), "127.0.0.1", 0)
    wire = Wire(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield wire
    finally:
        wire.close()
        server.close()


async def test_an_answer_that_comes_in_pieces_is_read_as_a_whole() -> None:
    async with served(Pieces) as wire:
        assert await wire.post("/echo", b"a\r\n\r\nb") == Answer(200, b"/echo a\r\n\r\nb")


async def test_a_connection_is_used_again_and_not_shared() -> None:
    Pieces.made = 0
    async with served(Pieces) as wire:
        await wire.post("/one")
        await wire.post("/two")
        assert Pieces.made == 1
        answers = await asyncio.gather(*(wire.post(f"/{number}") for number in range(3)))
        assert [answer.body for answer in answers] == [b"/0 ", b"/1 ", b"/2 "]
        assert Pieces.made == 3


async def test_a_closed_connection_is_an_error_where_an_answer_was_due() -> None:
    async with served(Silent) as wire:
        with pytest.raises(BenchError, match="closed the connection"):
            await wire.post("/echo")


async def test_a_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    Pieces.made = 0
    async with served(Pieces) as wire:
        await wire.post("/one")
        wire.close()
        assert (await wire.post("/two")).status == 200
        assert Pieces.made == 2
