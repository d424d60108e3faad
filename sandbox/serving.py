"""Serving the sandbox alone."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import uvicorn

from sandbox.app import SandboxConfig, build_sandbox


def run(
    *,
    wsdl: Path,
    create_purchase_url: str,
    create_purchase_auth: tuple[str, str] | None = None,
    host: str = "127.0.0.1",
    port: int = 9090,
    webshop_id: str = "demo",
    reversal_seconds: float = 20.0,
    dashboard_url: str | None = None,
) -> None:
    """Serve until stopped; prints the SOAP address once it can be reached. Port 0 takes a free one."""
    with socket.create_server((host, port)) as listening:
        # Sockets made by create_server escape asyncio's own TCP_NODELAY, which costs 40 ms an answer.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        base_url = f"http://{host}:{listening.getsockname()[1]}"
        sandbox = build_sandbox(
            SandboxConfig(
                wsdl=wsdl,
                base_url=base_url,
                create_purchase_url=create_purchase_url,
                create_purchase_auth=create_purchase_auth,
                webshop_id=webshop_id,
                reversal_seconds=reversal_seconds,
                dashboard_url=dashboard_url,
            )
        )
        sys.stdout.write(
            f"SEQR sandbox: SOAP {sandbox.soap_url}, phone {base_url}/phone, panel {base_url}/\n"
        )
        sys.stdout.flush()
        server = uvicorn.Server(uvicorn.Config(sandbox.app, log_level="warning"))
        server.run(sockets=[listening])
