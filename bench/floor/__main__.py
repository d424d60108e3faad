"""Serve the floor until it is stopped."""

from __future__ import annotations

import argparse
import os
from urllib.parse import urlsplit

import uvicorn

from bench.floor.app import Floor
from bench.floor.postgresql import open_postgresql
from bench.floor.soap import Soap
from bench.floor.sqlite import open_sqlite
from bench.wire import Wire

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
port = parser.parse_args().port
url, endpoint, public_url = (
    os.environ[f"ORCHESTRATOR_{name}"] for name in ("DATABASE_URL", "SEQR_ENDPOINT", "PUBLIC_URL")
)
is_file = url.startswith("sqlite:///")
books = open_sqlite(url.removeprefix("sqlite:///")) if is_file else open_postgresql(url)
soap = Soap(Wire(endpoint, "text/xml"), urlsplit(endpoint).path)
uvicorn.run(Floor(books, soap, public_url), port=port, log_level="warning", access_log=False)
