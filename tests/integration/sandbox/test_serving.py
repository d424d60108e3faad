"""The sandbox as a process of its own."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE

import aiohttp

from tests.fixtures.sandbox import ROOT, SHIPPED_WSDL, Caller


async def test_it_prints_its_soap_address_and_serves_there() -> None:
    options = ["--port", "0", "--wsdl", str(SHIPPED_WSDL), "--create-purchase", "http://127.0.0.1:1/"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", *options, cwd=ROOT, stdout=PIPE
    )
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        address = re.search(r"SOAP (http://127\.0\.0\.1:\d+/seqr)", line)
        assert address, line
        async with aiohttp.ClientSession() as http:
            assert await Caller(address[1], http).send_invoice()
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 10)


async def test_wrong_use_ends_with_status_2_and_one_clear_line() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox",
        "--wsdl",
        "nowhere.wsdl",
        "--create-purchase",
        "x",
        cwd=ROOT,
        stderr=PIPE,
    )
    _, told = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 2
    assert b"there is no WSDL at nowhere.wsdl" in told
