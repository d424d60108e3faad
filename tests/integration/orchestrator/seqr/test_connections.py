"""The client's connections: when they are used again, when not, and how they are secured."""

from __future__ import annotations

import asyncio
import base64
import ssl
from pathlib import Path
from typing import Any

import aiohappyeyeballs
import pytest
import trustme

from orchestrator.seqr import transport
from orchestrator.seqr.messages import Answered, Busy, Unknown
from tests.fixtures.faulty_seqr import http_message
from tests.fixtures.http_peer import GOOD, Peer, opened, peer, says, says_nothing
from tests.fixtures.sandbox import until
from tests.fixtures.soap import invoice

ANSWER = http_message(GOOD)


async def test_a_connection_is_used_again() -> None:
    async with peer(says(ANSWER)) as it, opened(it.address) as seqr:
        for _ in range(5):
            assert isinstance(await seqr.send_invoice(invoice()), Answered)
        assert (len(it.bodies), it.connections) == (5, 1)


async def test_an_idle_connection_is_closed_and_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "IDLE_SECONDS", 0.05)
    async with peer(says(ANSWER)) as it, opened(it.address) as seqr:
        await asyncio.gather(*(seqr.send_invoice(invoice()) for _ in range(3)))
        await until(lambda: it.left == it.connections)
        assert isinstance(await seqr.send_invoice(invoice()), Answered)
        await until(lambda: it.left == it.connections)


async def test_a_connection_that_is_too_old_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with peer(says(ANSWER)) as it, opened(it.address) as seqr:
        await seqr.send_invoice(invoice())
        monkeypatch.setattr(transport, "IDLE_SECONDS", 0.0)
        assert isinstance(await seqr.send_invoice(invoice()), Answered)
        assert it.connections == 2


async def test_a_connection_that_the_server_closed_is_not_used() -> None:
    async def last_word(_: Peer, writer: asyncio.StreamWriter) -> None:
        writer.write(ANSWER)
        writer.write_eof()

    async with peer(last_word) as it, opened(it.address) as seqr:
        for _ in range(3):
            assert isinstance(await seqr.send_invoice(invoice()), Answered)
            await until(lambda: it.left == it.connections)
        assert it.connections == 3


@pytest.mark.parametrize(
    "spoiled", [ANSWER + ANSWER.replace(b"20150306072260070", b"2"), ANSWER + b"\0", ANSWER + b"HTTP/1.1"]
)
async def test_only_the_first_of_two_answers_is_one(spoiled: bytes) -> None:
    async with peer(says(spoiled)) as it, opened(it.address) as seqr:
        for _ in range(3):
            outcome = await seqr.send_invoice(invoice())
            assert isinstance(outcome, Answered)
            assert outcome.value.reference == "20150306072260070"
        assert it.connections == 3


async def test_an_answer_that_nobody_asked_for_is_none() -> None:
    async def twice(it: Peer, writer: asyncio.StreamWriter) -> None:
        writer.write(ANSWER)
        await it.hold.wait()
        writer.write(ANSWER.replace(b"20150306072260070", b"2"))

    async with peer(twice) as it, opened(it.address) as seqr:
        assert isinstance(await seqr.send_invoice(invoice()), Answered)
        it.hold.set()
        await until(lambda: it.left == 1)
        outcome = await seqr.send_invoice(invoice())
        assert isinstance(outcome, Answered)
        assert outcome.value.reference == "20150306072260070"
        assert it.connections == 2


async def test_an_answer_may_last_as_long_as_its_connection() -> None:
    endless = ANSWER.replace(b"Content-Length", b"X-Length")
    async with peer(says(endless, close=True)) as it, opened(it.address) as seqr:
        for _ in range(2):
            assert isinstance(await seqr.send_invoice(invoice()), Answered)
        assert it.connections == 2


async def test_a_server_that_hangs_up_at_once_has_seen_nothing_or_nobody_knows() -> None:
    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, opened(address) as seqr:
        for _ in range(20):
            assert isinstance(await seqr.send_invoice(invoice()), Busy | Unknown)


async def test_closing_ends_what_is_under_way() -> None:
    async with peer(says_nothing) as it, opened(it.address, connections=1) as seqr:
        first = asyncio.create_task(seqr.send_invoice(invoice()))
        await it.asked.wait()
        second = asyncio.create_task(seqr.send_invoice(invoice()))
        await asyncio.sleep(0)
        await seqr.close()
        assert isinstance(await first, Unknown)
        assert isinstance(await second, Busy)
        assert len(it.bodies) == 1


async def test_closing_while_a_connection_is_made_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way, go = asyncio.Event(), asyncio.Event()
    connect: Any = aiohappyeyeballs.start_connection

    async def slow(*args: Any, **more: Any) -> Any:
        under_way.set()
        await go.wait()
        return await connect(*args, **more)

    monkeypatch.setattr(aiohappyeyeballs, "start_connection", slow)
    async with peer(says(ANSWER)) as it, opened(it.address) as seqr:
        call = asyncio.create_task(seqr.send_invoice(invoice()))
        await under_way.wait()
        await seqr.close()
        go.set()
        assert isinstance(await call, Busy)
        assert it.bodies == []


async def test_who_gives_up_waiting_for_a_connection_takes_none_away() -> None:
    async with peer(says_nothing) as it, opened(it.address, connections=1) as seqr:
        first = asyncio.create_task(seqr.send_invoice(invoice()))
        await it.asked.wait()
        second = asyncio.create_task(seqr.send_invoice(invoice()))
        third = asyncio.create_task(seqr.send_invoice(invoice()))
        await asyncio.sleep(0)
        second.cancel()
        first.cancel()
        it.reply = says(ANSWER)
        assert isinstance(await third, Answered)
        assert isinstance(await seqr.send_invoice(invoice()), Answered)
        assert (it.connections, len(it.bodies)) == (2, 3)


async def test_who_gives_up_connecting_takes_none_away(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way, connect = asyncio.Event(), aiohappyeyeballs.start_connection

    async def never(*_: object, **__: object) -> None:
        under_way.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(aiohappyeyeballs, "start_connection", never)
    async with peer(says(ANSWER)) as it, opened(it.address, connections=1) as seqr:
        call = asyncio.create_task(seqr.send_invoice(invoice()))
        await under_way.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        monkeypatch.setattr(aiohappyeyeballs, "start_connection", connect)
        assert isinstance(await seqr.send_invoice(invoice()), Answered)


async def test_connecting_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(aiohappyeyeballs, "start_connection", never)
    async with opened("http://127.0.0.1:9/", seconds=0.1) as seqr:
        outcome = await seqr.send_invoice(invoice())
    assert isinstance(outcome, Busy)
    assert outcome.description == "No connection to SEQR within 0.1 s, at 127.0.0.1:9."


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
async def test_a_host_is_called_by_its_name(host: str) -> None:
    async with peer(says(ANSWER), host=host) as it, opened(it.address) as seqr:
        assert isinstance(await seqr.send_invoice(invoice()), Answered)
        assert f"\r\nHost: {it.address.split('/')[2]}\r\n" in it.heads[0]


async def test_path_query_and_credentials_of_the_endpoint_are_used() -> None:
    async with peer(says(ANSWER)) as it:
        address = it.address.replace("//", "//me:s%C3%A5@") + " a/ö?b=c&d#e"
        async with opened(address) as seqr:
            await seqr.send_invoice(invoice())
        assert it.heads[0].startswith("POST /soap%20a/%C3%B6?b=c&d HTTP/1.1\r\n")
        who = base64.b64encode("me:så".encode()).decode()
        assert f"\r\nAuthorization: Basic {who}\r\n" in it.heads[0]
        assert it.heads[0].count("\r\nHost: 127.0.0.1:") == 1


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Whom the client trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


def of(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
async def test_a_call_over_tls(authority: trustme.CA, host: str) -> None:
    async with peer(says(ANSWER), host=host, tls=of(authority, host)) as it, opened(it.address) as seqr:
        for _ in range(3):
            assert isinstance(await seqr.send_invoice(invoice()), Answered)
        assert (it.connections, len(it.bodies)) == (1, 3)


@pytest.mark.parametrize("sent", [0, 60, len(ANSWER) - 1])
async def test_a_cut_answer_over_tls_is_unknown(authority: trustme.CA, sent: int) -> None:
    cut = says(ANSWER[:sent], close=True)
    async with peer(cut, tls=of(authority, "127.0.0.1")) as it, opened(it.address) as seqr:
        outcome = await seqr.send_invoice(invoice())
        assert isinstance(outcome, Unknown)
        assert "cut off" in outcome.description
        assert len(it.bodies) == 1


@pytest.mark.parametrize("begun", [b"", ANSWER[:60]], ids=["silent", "dripping"])
async def test_tls_ends_in_time(authority: trustme.CA, begun: bytes) -> None:
    tls = of(authority, "127.0.0.1")
    async with peer(says(begun), tls=tls) as it, opened(it.address, seconds=0.3) as seqr:
        outcome = await seqr.send_invoice(invoice())
        assert isinstance(outcome, Unknown)
        assert "within 0.3 s" in outcome.description
        await until(lambda: it.left == 1)


async def test_a_handshake_that_never_ends_is_busy() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    address = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, opened(address, seconds=0.2) as seqr:
        assert isinstance(await seqr.send_invoice(invoice()), Busy)


@pytest.mark.usefixtures("authority")
async def test_a_server_that_nobody_vouches_for_hears_nothing() -> None:
    async with peer(says(ANSWER), tls=of(trustme.CA(), "127.0.0.1")) as it, opened(it.address) as seqr:
        outcome = await seqr.send_invoice(invoice())
        assert isinstance(outcome, Busy)
        assert "CERTIFICATE_VERIFY_FAILED" in outcome.description
        assert it.bodies == []


async def test_a_server_of_another_name_hears_nothing(authority: trustme.CA) -> None:
    async with peer(says(ANSWER), tls=of(authority, "other.example")) as it, opened(it.address) as seqr:
        assert isinstance(await seqr.send_invoice(invoice()), Busy)
        assert it.bodies == []
