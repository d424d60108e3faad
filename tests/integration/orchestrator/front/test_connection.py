"""The server at the socket: what smugglers send, what never ends, what is too much. Over raw sockets.

How heads and chunks are read, tests/unit/orchestrator/front tells in detail.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from orchestrator.front.bodies import BodyLimit
from orchestrator.front.connection import Connection, Limits
from orchestrator.front.head import LONGEST as LONGEST_HEAD
from orchestrator.front.headers import Fronted
from orchestrator.rest import errors
from tests.fixtures.sandbox import until

LIMIT = 5.0
LARGE = 50_000_000
QUICK = Limits(head_seconds=0.3, body_seconds=0.3, body_rate=1000, look_every=0.05, unread_seconds=0.3)
HEAD = "POST /echo HTTP/1.1\r\nHost: shop\r\n"
seen: list[str] = []
servers: list[uvicorn.Server] = []


async def _echo(request: Request) -> Response:
    seen.append(request.url.path)
    body = await request.body()
    return PlainTextResponse(f"{len(body)} bytes")


async def _ignore(request: Request) -> Response:
    return PlainTextResponse("not read")


async def _begin(request: Request) -> Response:
    """Answer before the body is over."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"begun "
        yield b"%d bytes" % len(await request.body())

    return StreamingResponse(pieces())


async def _headers(request: Request) -> Response:
    """What was asked, and by which headers once the body was read."""
    await request.body()
    return PlainTextResponse(f"{request.method} {request.url.path} {sorted(request.headers)}")


async def _much(request: Request) -> Response:
    seen.append(request.url.path)
    return PlainTextResponse("x" * LARGE)


def application() -> Starlette:
    routes = [
        Route("/echo", _echo, methods=["GET", "POST"]),
        Route("/seqr/ignore", _ignore, methods=["POST"]),
        Route("/begin", _begin, methods=["POST"]),
        Route("/headers", _headers, methods=["POST", "FETCH"]),
        Route("/much", _much),
    ]
    app = Fronted(routes=routes, https=True, exception_handlers=errors.handlers())
    app.add_middleware(BodyLimit, larger={"/seqr/ignore": 10_000})
    return app


@asynccontextmanager
async def serving(limits: Limits) -> AsyncIterator[int]:
    """A server with these limits; yields its port."""
    seen.clear()
    options: dict[str, Any] = {"http": partial(Connection, limits=limits)}
    options |= {"loop": "uvloop", "ws": "none", "timeout_keep_alive": 1, "timeout_graceful_shutdown": 1}
    config = uvicorn.Config(application(), log_level="critical", **options)
    server = uvicorn.Server(config)
    servers.append(server)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # As in production it has an event loop of its own kind, so it needs a thread of its own.
        running = asyncio.create_task(asyncio.to_thread(server.run, [listening]))
        try:
            await until(lambda: server.started or running.done())
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            await running


async def said(port: int, *pieces: str | bytes, pause: float = 0.0, end: bool = False) -> bytes:
    """What the server answers until it closes; ``end`` says that nothing more is sent."""
    async with asyncio.timeout(LIMIT):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for piece in pieces:
                writer.write(piece.encode("latin-1") if isinstance(piece, str) else piece)
                await writer.drain()
                await asyncio.sleep(pause)
            if end:
                writer.write_eof()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


WAITS = 0
"""Nothing was answered: the body is not over, so more of it is waited for, but not for ever."""
SMUGGLED = "GET /echo?smuggled HTTP/1.1\r\nHost: shop\r\n\r\n"
ODD = {
    "CL.TE": f"{HEAD}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "TE.CL": f"{HEAD}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n{SMUGGLED}\r\n0\r\n\r\n",
    "TE.TE": f"{HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "odd TE": f"{HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "TE in HTTP/1.0": "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": f"{HEAD}Content-Length: 0\r\nContent-Length: 44\r\n\r\n{SMUGGLED}",
    "two lengths in one": f"{HEAD}Content-Length: 0, 44\r\n\r\n{SMUGGLED}",
    "signed length": f"{HEAD}Content-Length: +0\r\n\r\n{SMUGGLED}",
    "negative length": f"{HEAD}Content-Length: -1\r\n\r\n{SMUGGLED}",
    "no number": f"{HEAD}Content-Length: 0x0\r\n\r\n{SMUGGLED}",
    "space before colon": f"{HEAD}Content-Length : 0\r\n\r\n{SMUGGLED}",
    "bare LF": "GET /echo HTTP/1.1\nHost: shop\n\n",
    "one bare LF": "GET /echo HTTP/1.1\r\nHost: shop\nX-More: 1\r\n\r\n",
    "bare CR": "GET /echo HTTP/1.1\r\nHost: shop\rX-More: 1\r\n\r\n",
    "LF ends the head": "GET /echo HTTP/1.1\r\nHost: shop\r\n\n",
    "folded line": "GET /echo HTTP/1.1\r\nHost: shop\r\nX-More: 1\r\n Content-Length: 9\r\n\r\n",
    "NUL": "GET /echo HTTP/1.1\r\nHost: sh\0op\r\n\r\n",
    "no host": "GET /echo HTTP/1.1\r\n\r\n",
    "two hosts": "GET /echo HTTP/1.1\r\nHost: shop\r\nHost: evil\r\n\r\n",
    "chunk with LF": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n2\nab\n0\n\n",
    "chunk size of another kind": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n0x2\r\nab\r\n0\r\n\r\n",
    "chunk that is longer": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nabXX\r\n0\r\n\r\n",
    "long head": f"GET /echo HTTP/1.1\r\nHost: shop\r\nX-Long: {'x' * LONGEST_HEAD}\r\n\r\n",
    "many headers": "GET /echo HTTP/1.1\r\nHost: shop\r\n" + "X: y\r\n" * (LONGEST_HEAD // 6) + "\r\n",
    "no HTTP": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


async def test_what_two_programs_may_read_differently_is_refused() -> None:
    async with serving(Limits()) as port:
        for name, request in ODD.items():
            answer = await said(port, request, end=True)
            expected = (400, WAITS) if "chunk" in name else (400,)
            assert status(answer) in expected, (name, answer)
            assert answer.count(b"HTTP/1.1 ") <= 1, (name, answer)
        assert seen == ["/echo"] * seen.count("/echo")
        assert status(await said(port, SMUGGLED, end=True)) == 200


async def test_torn_pieces_and_pipelines_are_read_as_meant() -> None:
    last = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    whole = f"{HEAD}Content-Length: 3\r\n\r\na\nb{SMUGGLED}{last}"
    async with serving(Limits()) as port:
        together = await said(port, whole)
        assert together.count(b"HTTP/1.1 200") == 3
        assert b"3 bytes" in together
        apart = await said(port, *whole)
        assert apart.count(b"HTTP/1.1 200") == 3
        odd = await said(port, SMUGGLED, "GET /echo HTTP/1.1\nHost: x\r\n\r\n", end=True)
        assert odd.count(b"HTTP/1.1 200") == 1
        assert odd.count(b"HTTP/1.1 400") == 1


async def test_what_comes_behind_a_body_in_chunks_is_the_next_request() -> None:
    chunked = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n3;x=y\r\na\nb\r\n0\r\nHost: evil\r\n\r\n"
    last = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    async with serving(Limits()) as port:
        for pieces in ([f"{chunked}{chunked}{last}"], list(f"{chunked}{chunked}{last}")):
            answer = await said(port, *pieces)
            assert answer.count(b"HTTP/1.1 200") == 3
            assert answer.count(b"3 bytes") == 2


async def test_trailers_are_no_headers() -> None:
    head = "POST /headers HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with serving(Limits()) as port:
        answer = await said(port, head, "0\r\nAuthorization: Basic x\r\nX-Forwarded-For: y\r\n\r\n")
    assert b"POST /headers ['connection', 'host', 'transfer-encoding']" in answer


async def test_an_offer_of_another_protocol_is_passed_over_and_its_body_is_read() -> None:
    """Java's client offers HTTP/2 with every request."""
    offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    close = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    async with serving(Limits()) as port:
        body = f"{HEAD}{offer}Content-Length: {len(SMUGGLED)}\r\n\r\n{SMUGGLED}"
        answer = await said(port, body + close)
        assert answer.count(b"HTTP/1.1 200") == 2
        assert b"%d bytes" % len(SMUGGLED) in answer
        chunks = f"{HEAD}{offer}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
        answer = await said(port, chunks + close)
        assert answer.count(b"HTTP/1.1 200") == 2
        assert b"2 bytes" in answer


@pytest.mark.parametrize(("method", "expected"), [("FETCH", 200), ("CONNECT", 405), ("BREW", 405)])
async def test_any_method_reaches_the_application(method: str, expected: int) -> None:
    async with serving(Limits()) as port:
        request = f"{method} /headers HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nBREW"
        answer = await said(port, request, end=True)
    assert status(answer) == expected
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_who_waits_to_be_asked_for_the_body_is_asked() -> None:
    async with serving(Limits()) as port:
        head = f"{HEAD}Expect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
        answer = await said(port, head, "ab", pause=0.1)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")
    assert b"2 bytes" in answer


async def test_nothing_is_said_into_an_answer_that_has_begun() -> None:
    async with serving(Limits()) as port:
        head = "POST /begin HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = await said(port, head, "2\r\nabXX", pause=0.1)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.endswith(b"\r\nbegun \r\n"), "the caller sees that it is not whole"


async def test_what_nobody_reads_of_a_body_is_not_taken_for_the_next_request() -> None:
    head = f"POST /seqr/ignore HTTP/1.1\r\nHost: shop\r\nContent-Length: {len(SMUGGLED)}\r\n\r\n"
    last = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    async with serving(Limits()) as port:
        for pause in (0.0, 0.05):
            answer = await said(port, head, SMUGGLED, last, pause=pause)
            assert answer.count(b"HTTP/1.1 200") == 2
        assert seen == ["/echo"] * 2


async def test_a_connection_that_asks_nothing_more_is_closed() -> None:
    async with serving(QUICK) as port:
        assert status(await said(port, SMUGGLED)) == 200


async def test_a_request_that_never_ends_is_cut_off() -> None:
    async with serving(QUICK) as port:
        silent, drop, body = await asyncio.gather(
            said(port, ""),
            said(port, *("GET /echo HTTP/1.1\r\nHost: shop\r\nX: " + "y" * 60), pause=0.05),
            said(port, f"{HEAD}Content-Length: 1000\r\n\r\n", *("z" * 60), pause=0.05),
        )
        assert silent == b""
        assert status(drop) in (0, 408)
        assert status(body) in (0, 408)
        assert status(await said(port, SMUGGLED, end=True)) == 200


async def test_a_slow_body_that_comes_along_is_waited_for() -> None:
    pieces = ["z" * 500] * 12
    async with serving(QUICK) as port:
        head = f"{HEAD}Content-Length: 6000\r\nConnection: close\r\n\r\n"
        answer = await said(port, head, *pieces, pause=0.05)
    assert b"6000 bytes" in answer


async def test_a_body_that_nobody_reads_is_bounded_too() -> None:
    limits = Limits(body_seconds=0.3, body_rate=1e9, largest_body=1_000_000, look_every=0.05)
    async with serving(limits) as port:
        head = "POST /seqr/ignore HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
        begun = time.monotonic()
        answer = await said(port, head, *["1\r\nz\r\n"] * 100, pause=0.01)
        assert status(answer) in (0, 200)
        flood = await said(port, head, *[b"10000\r\n" + b"z" * 65536 + b"\r\n"] * 100, pause=0.001)
        assert status(flood) in (0, 200)
        assert time.monotonic() - begun < LIMIT


async def test_an_answer_that_nobody_reads_is_not_kept_for_ever() -> None:
    async with serving(QUICK) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET /much HTTP/1.1\r\nHost: shop\r\n\r\n")
        await until(lambda: seen == ["/much"] and not servers[-1].server_state.connections)
        got = 0
        with suppress(ConnectionError):
            async with asyncio.timeout(LIMIT):
                while piece := await reader.read(1_000_000):
                    got += len(piece)
        writer.close()
    assert 0 < got < LARGE


async def test_only_so_many_connections_are_taken() -> None:
    async with serving(Limits(connections=3)) as port:
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        assert status(await said(port, SMUGGLED)) in (0, 503)
        kept[0][1].close()
        await kept[0][1].wait_closed()

        async def served() -> bool:
            return status(await said(port, SMUGGLED, end=True)) == 200

        async with asyncio.timeout(LIMIT):
            while not await served():
                await asyncio.sleep(0.02)
        for _, writer in kept[1:]:
            writer.close()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (f"{HEAD}Content-Length: 1048577\r\n\r\n", 413),
        (f"{HEAD}Content-Length: 99999999999999999999\r\n\r\n", 413),
        ("POST /seqr/ignore HTTP/1.1\r\nHost: shop\r\nContent-Length: 10001\r\n\r\n", 413),
        (f"{HEAD}Transfer-Encoding: chunked\r\n\r\n110000\r\n{'z' * 0x110000}\r\n0\r\n\r\n", 413),
        (f"{HEAD}Content-Length: 1048576\r\nConnection: close\r\n\r\n{'z' * 1048576}", 200),
    ],
)
async def test_a_body_that_is_too_large_is_refused(request_: str, expected: int) -> None:
    async with serving(Limits()) as port:
        answer = await said(port, request_, end=True)
    assert status(answer) == expected
    assert b"strict-transport-security" in answer.lower()
