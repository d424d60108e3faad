"""The audit of what the locks pin: what is asked, what fails, and what is only said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from scripts import audit


class _Database(BaseHTTPRequestHandler):
    """Knows of one vulnerability, in starlette."""

    asked: list[dict[str, Any]]

    def do_POST(self) -> None:
        queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        type(self).asked = queries
        results = [{"vulns": [{"id": "X-1"}]} if q["package"]["name"] == "starlette" else {} for q in queries]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"results": results}).encode())

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Database) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        monkeypatch.setenv("AUDIT_DATABASE", address)
        yield address
        server.shutdown()


def test_what_the_locks_pin_is_read() -> None:
    lock = (
        "aiohttp==3.12.1 ; python_full_version >= '3.11' \\\n    --hash=sha256:00\nsqlalchemy[asyncio]==2.1\n"
    )
    assert audit.python_packages(lock) == {("PyPI", "aiohttp", "3.12.1"), ("PyPI", "sqlalchemy", "2.1")}
    node = {"packages": {"": {"version": "1"}, "node_modules/htmx.org": {"version": "2.0.4"}}}
    assert audit.node_packages(json.dumps(node)) == {("npm", "htmx.org", "2.0.4")}
    ours = audit.locked()
    assert len(ours) > 50
    assert {ecosystem for ecosystem, _, _ in ours} == {"PyPI", "npm"}


def test_a_known_vulnerability_fails(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main() == 1
    assert "X-1" in capsys.readouterr().out
    assert {"PyPI", "npm"} == {query["package"]["ecosystem"] for query in _Database.asked}


def test_one_that_was_accepted_does_not(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "ACCEPTED", {"X-1": "we call nothing of it"})
    assert audit.main() == 0
    assert "None of" in capsys.readouterr().out


def test_a_database_that_cannot_be_reached_is_said_and_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUDIT_DATABASE", "http://127.0.0.1:9/")
    assert audit.main() == 0
    assert "Not audited" in capsys.readouterr().out


def test_an_answer_that_makes_no_sense_is_none(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "load", lambda _: {"results": []})
    with pytest.raises(audit.UnreachableError, match="other packages"):
        audit.vulnerabilities([("PyPI", "starlette", "1.0")], database)
