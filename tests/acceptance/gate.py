"""The way to SEQR, or to the database, as a gate that can be shut: connections are refused then, and open
ones are cut. Or it stalls: what comes is kept back, and nobody is told.
"""

from __future__ import annotations

import asyncio
import socket
from types import TracebackType


class Gate:
    """Hands bytes on to ``port`` while it is open. Its own address stays the same."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()

    @property
    def port(self) -> int:
        return int(self._reserved.getsockname()[1])

    async def open(self) -> None:
        """Let everybody through."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port, reuse_port=True)

    async def shut(self) -> None:
        """Cut what is open; refuse what comes."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await self._server.wait_closed()
        self._server = None

    async def stall(self) -> None:
        """Carry nothing from now on, like a line that was pulled out."""
        self._flowing.clear()

    async def resume(self) -> None:
        """Carry everything again, what was kept back first."""
        self._flowing.set()

    async def __aenter__(self) -> Gate:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            await self.shut()
        self._reserved.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flowing.wait()
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._behind)
        except OSError:
            writer.close()
            return
        self._open |= {writer, back}
        await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        self._open -= {writer, back}

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                await self._flowing.wait()
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass  # either side may go at any time
        finally:
            writer.close()
