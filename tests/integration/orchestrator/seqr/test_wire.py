"""The client against a real socket that behaves as badly as networks do."""

from __future__ import annotations

import asyncio
import gzip
import re

import pytest

from orchestrator.seqr.client import SoapSeqr
from orchestrator.seqr.messages import Answered, Busy, Refused, Unknown
from orchestrator.seqr.probe import Reach, probe
from orchestrator.seqr.wsdl import SHIPPED_WSDL
from tests.fixtures.faulty_seqr import http_message
from tests.fixtures.http_peer import GOOD, Peer, Reply, opened, peer, says, says_nothing
from tests.fixtures.soap import CREDENTIALS, ISSUED, answer, invoice, payload, success


async def unknown_after(reply: Reply, seconds: float = 5) -> Unknown:
    """Send an invoice to such a peer: it must be Unknown, and the peer must have seen it exactly once."""
    async with peer(reply) as it, opened(it.address, seconds) as seqr:
        outcome = await seqr.send_invoice(invoice())
        assert isinstance(outcome, Unknown), outcome
        assert len(it.bodies) == 1
    return outcome


def reference(outcome: Busy) -> str:
    found = re.search("<clientReference>(.*)</clientReference>", outcome.exchange.request)
    assert found
    return found[1]


async def test_a_call_over_the_wire() -> None:
    async with peer(says(http_message(GOOD))) as it, opened(it.address) as seqr:
        outcome = await seqr.send_invoice(invoice())
    assert isinstance(outcome, Answered)
    assert outcome.exchange.response == GOOD.decode()
    head = it.heads[0].lower()
    assert head.startswith("post /soap http/1.1")
    assert 'soapaction: ""' in head
    assert "content-type: text/xml; charset=utf-8" in head
    assert payload(it.bodies[0]).findtext("invoice/clientInvoiceId") == "p-1.1"


async def test_connections_are_kept_and_bounded() -> None:
    busy, most = 0, 0

    async def reply(_: Peer, writer: asyncio.StreamWriter) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0)
        busy -= 1
        writer.write(http_message(GOOD))

    async with peer(reply) as it, opened(it.address, connections=3) as seqr:
        outcomes = await asyncio.gather(*(seqr.send_invoice(invoice()) for _ in range(30)))
    assert all(isinstance(outcome, Answered) for outcome in outcomes)
    assert len(it.bodies) == 30
    assert it.connections <= 3
    assert most <= 3


async def test_a_silent_server_is_unknown_in_time() -> None:
    outcome = await unknown_after(says_nothing, seconds=0.2)
    assert "No answer from SEQR within 0.2 s" in outcome.description
    assert 150 < outcome.exchange.duration_ms < 3000


async def test_a_server_that_drips_is_unknown_in_time() -> None:
    async def drip(it: Peer, writer: asyncio.StreamWriter) -> None:
        writer.write(http_message(GOOD)[:100])
        await it.hold.wait()

    assert "within 0.2 s" in (await unknown_after(drip, seconds=0.2)).description


async def test_a_call_that_never_got_a_connection_is_busy() -> None:
    async with peer(says_nothing) as it, opened(it.address, seconds=0.3, connections=1) as seqr:
        outcomes = await asyncio.gather(*(seqr.send_invoice(invoice()) for _ in range(30)))
        seen = b"".join(it.bodies).decode()
    busy = [outcome for outcome in outcomes if isinstance(outcome, Busy)]
    assert busy
    assert any(isinstance(outcome, Unknown) for outcome in outcomes)
    assert not any(reference(outcome) in seen for outcome in busy)


async def test_nobody_listening_is_busy() -> None:
    async with peer(says(b"")) as it:
        address = it.address
    async with opened(address) as seqr:
        outcome = await seqr.send_invoice(invoice())
    assert isinstance(outcome, Busy)
    assert outcome.code is None
    assert "cannot be reached" in outcome.description


async def test_an_unknown_host_is_busy() -> None:
    async with opened("http://seqr.invalid/soap") as seqr:
        outcome = await seqr.send_invoice(invoice())
    assert isinstance(outcome, Busy)


async def test_no_tls_on_the_other_side_is_busy() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, opened(f"https://127.0.0.1:{port}/") as seqr:
        outcome = await seqr.send_invoice(invoice())
    assert isinstance(outcome, Busy)
    assert "SSL" in outcome.description


@pytest.mark.parametrize("sent", [0, 10, 60, len(http_message(GOOD)) - 1])
async def test_a_cut_answer_is_unknown(sent: int) -> None:
    await unknown_after(says(http_message(GOOD)[:sent], close=True))


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "cut off"),
        (http_message(b"<html><body>Moved", "200 OK", "Content-Type: text/html"), "not XML (text/html)"),
        (http_message(b""), "empty"),
        (http_message(b"\x00\x01\x02"), "not XML"),
        (http_message(b"", "302 Found", "Location: http://127.0.0.1:1/"), "HTTP 302 Found"),
        (http_message(GOOD, "503 Service Unavailable", "Retry-After: 9"), "HTTP 503 Service Unavailable"),
        (http_message(GOOD, "500 "), "HTTP 500"),
        (http_message(GOOD, "200 OK", "Content-Encoding: gzip"), "cut off"),
    ],
)
async def test_anything_else_is_unknown(message: bytes, said: str) -> None:
    assert said in (await unknown_after(says(message, close=True))).description


async def test_a_huge_answer_is_not_read_to_its_end() -> None:
    async def flood(_: Peer, writer: asyncio.StreamWriter) -> None:
        writer.write(
            http_message(b"", "200 OK", "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
        )
        while not writer.is_closing():
            writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            await writer.drain()

    assert "larger than 4 MiB" in (await unknown_after(flood)).description


async def test_a_compressed_bomb_is_not_unpacked_to_its_end() -> None:
    bomb = gzip.compress(b" " * (64 * 2**20))
    outcome = await unknown_after(says(http_message(bomb, "200 OK", "Content-Encoding: gzip")))
    assert "larger than 4 MiB" in outcome.description


async def test_an_entity_bomb_is_unknown() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "boom"}">' for n in range(10))
    bomb = f"<!DOCTYPE x [{entities}]>{success('sendInvoice', ISSUED + '<x>&e9;</x>')}"
    outcome = await unknown_after(says(http_message(bomb.encode())))
    assert outcome.exchange.duration_ms < 2000


async def test_a_stale_connection_does_not_send_twice() -> None:
    """The server answers once, keeps the connection, and cuts it when the next call arrives on it."""

    async def once(it: Peer, writer: asyncio.StreamWriter) -> None:
        if len(it.bodies) == 1:
            writer.write(http_message(GOOD))
        else:
            writer.close()

    async with peer(once) as it, opened(it.address) as seqr:
        assert isinstance(await seqr.send_invoice(invoice()), Answered)
        assert isinstance(await seqr.send_invoice(invoice()), Unknown)
        assert (len(it.bodies), it.connections) == (2, 1)


async def test_a_connection_that_the_server_gives_up_is_not_used_again() -> None:
    farewell = http_message(GOOD, "200 OK", "Connection: close")
    async with peer(says(farewell, close=True)) as it, opened(it.address) as seqr:
        for _ in range(5):
            assert isinstance(await seqr.send_invoice(invoice()), Answered)
        assert (len(it.bodies), it.connections) == (5, 5)


async def test_no_cookie_is_kept() -> None:
    async with peer(says(http_message(GOOD, "200 OK", "Set-Cookie: a=b"))) as it, opened(it.address) as seqr:
        await seqr.send_invoice(invoice())
        await seqr.send_invoice(invoice())
        assert "cookie" not in it.heads[1].lower()


async def test_a_closed_client_is_busy() -> None:
    async with peer(says(http_message(GOOD))) as it, opened(it.address) as seqr:
        await seqr.close()
        assert isinstance(await seqr.send_invoice(invoice()), Busy)
        assert it.connections == 0


async def test_a_cancelled_call_gives_its_connection_back() -> None:
    async with peer(says_nothing) as it, opened(it.address, connections=1) as seqr:
        call = asyncio.create_task(seqr.send_invoice(invoice()))
        async with asyncio.timeout(5):
            await it.asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        it.reply = says(http_message(GOOD))
        assert isinstance(await seqr.send_invoice(invoice()), Answered)


async def test_a_refusal_over_the_wire() -> None:
    body = answer("sendInvoice", "<resultCode>49</resultCode>").encode()
    async with peer(says(http_message(body))) as it, opened(it.address) as seqr:
        assert isinstance(await seqr.send_invoice(invoice()), Refused)


async def test_a_probe_over_the_wire() -> None:
    body = answer("getPaymentStatus", "<resultCode>54</resultCode><version>0</version>").encode()
    async with peer(says(http_message(body))) as it, opened(it.address) as seqr:
        assert (await probe(seqr)).reach is Reach.ACCEPTED
    async with opened(it.address) as seqr:
        assert (await probe(seqr)).reach is Reach.UNREACHABLE


async def test_a_wsdl_is_read_from_an_address() -> None:
    """Every SOAP stack serves its WSDL; the address that it names inside is not the one we call."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http_message(SHIPPED_WSDL.read_bytes()))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    location = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/service?wsdl"
    async with server, peer(says(http_message(GOOD))) as it:
        seqr = await asyncio.to_thread(SoapSeqr.open, it.address, CREDENTIALS, wsdl=location)
        assert isinstance(await seqr.send_invoice(invoice()), Answered)
        await seqr.close()
