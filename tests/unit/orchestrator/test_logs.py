"""The log: names and ids on one line, in JSON or readable, and never a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import structlog
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orchestrator import logs
from orchestrator.logs import RequestLog
from tests.fixtures.operations import calling, logging_as_before, settings

PURCHASE = "0195515c-5fd0-7000-8000-000000000000"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave logging as it was found."""
    with logging_as_before():
        yield


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


def begin(written: io.StringIO, form: str = "json", **changes: Any) -> None:
    found = settings(log_format=form, seqr_password=SecretStr("12345678-hush"), **changes)
    logs.configure(found, "the-made-key", stream=written)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in written.getvalue().splitlines()]
    return [line for line in found if line["logger"] != "httpx2"]  # the tests' own client


def test_an_event_has_name_level_time_and_what_was_bound(written: io.StringIO) -> None:
    begin(written)
    structlog.contextvars.bind_contextvars(purchase_id=PURCHASE)
    structlog.get_logger("orchestrator.test").info("purchase.paid", amount="149.00")
    (line,) = lines(written)
    assert line["event"] == "purchase.paid"
    assert (line["level"], line["logger"]) == ("info", "orchestrator.test")
    assert (line["purchase_id"], line["amount"]) == (PURCHASE, "149.00")
    assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None


def test_libraries_log_the_same_way(written: io.StringIO) -> None:
    begin(written)
    logging.getLogger("uvicorn.error").warning("Port %s is taken", 8000)
    (line,) = lines(written)
    assert (line["event"], line["logger"], line["level"]) == (
        "Port 8000 is taken",
        "uvicorn.error",
        "warning",
    )


def test_chatty_libraries_are_heard_only_when_something_is_wrong(written: io.StringIO) -> None:
    begin(written, log_level="debug")
    logging.getLogger("zeep.transports").debug("<password>12345678-hush</password>")
    logging.getLogger("apscheduler.executors.default").info("Running job")
    logging.getLogger("apscheduler.scheduler").error("It stopped")
    assert [line["event"] for line in lines(written)] == ["It stopped"]


def test_the_level_is_the_settings(written: io.StringIO) -> None:
    begin(written, log_level="warning")
    structlog.get_logger("orchestrator.test").info("quiet")
    structlog.get_logger("orchestrator.test").warning("loud")
    assert [line["event"] for line in lines(written)] == ["loud"]


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_secret_is_written_wherever_it_comes_from(written: io.StringIO, form: str) -> None:
    begin(written, form)
    log = structlog.get_logger("orchestrator.test")
    try:
        raise RuntimeError("login failed with 12345678-hush")
    except RuntimeError:
        log.exception(
            "failed 12345678-hush", inner={"deep": ["12345678-hush"]}, key=ValueError("the-made-key")
        )
    logging.getLogger("library").error("Authorization: %s", "Bearer abcdefgh")
    log.error("named", password="anything", token="x", nested={"Authorization": "y-y-y"})
    text = written.getvalue()
    assert "RuntimeError" in text
    for secret in ("12345678-hush", "the-made-key", "abcdefgh", "anything", "y-y-y"):
        assert secret not in text


def test_a_value_cannot_forge_a_line_or_steer_a_terminal(written: io.StringIO) -> None:
    begin(written, "text")
    structlog.get_logger("orchestrator.test").info("order", name="Anna\n2026 forged\x1b[31m")
    assert written.getvalue().count("\n") == 1
    assert "\x1b[31m" not in written.getvalue()


def test_odd_values_are_told_as_they_are(written: io.StringIO) -> None:
    begin(written)
    structlog.get_logger("orchestrator.test").info("all", number=1, half=0.5, yes=True, none=None, name="Åsa")
    (line,) = lines(written)
    assert (line["number"], line["half"], line["yes"], line["none"]) == (1, 0.5, True, None)
    assert "Åsa" in written.getvalue()


def test_a_logger_that_was_used_before_goes_where_the_log_goes_now(written: io.StringIO) -> None:
    first = io.StringIO()
    begin(first, log_level="warning")
    log = structlog.get_logger("orchestrator.test")
    log.warning("to the first")
    begin(written, log_level="info")
    log.info("to the second")
    assert [line["event"] for line in lines(first)] == ["to the first"]
    assert [line["event"] for line in lines(written)] == ["to the second"]


def test_without_a_stream_it_is_what_is_standard_error_at_that_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logs.configure(settings(log_format="json"))
    log = structlog.get_logger("orchestrator.test")
    for _ in range(2):
        now = io.StringIO()
        monkeypatch.setattr("sys.stderr", now)
        log.info("ours")
        logging.getLogger("library").warning("theirs")
        assert [line["event"] for line in lines(now)] == ["ours", "theirs"]


def test_a_log_may_be_written_while_the_log_is_written() -> None:
    class Talking(io.StringIO):
        """A stream that, as a warning in its depths would, logs by itself."""

        def write(self, text: str) -> int:
            if "first" in text:
                structlog.get_logger("orchestrator.test").info("second")
            return super().write(text)

    written = Talking()
    begin(written)
    structlog.get_logger("orchestrator.test").info("first")
    assert [line["event"] for line in lines(written)] == ["second", "first"]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("plain", "plain"),
        ("12345678-hush", "***"),
        ("Bearer abcdefgh", "Bearer ***"),
        ("http://me:word@host", "http://me:***@host"),
        ("two\nlines", "two\\nlines"),
        (["12345678-hush"], ["***"]),
        ({"password": "x"}, {"password": "***"}),
        (ValueError("12345678-hush"), "***"),
    ],
)
def test_one_value_is_masked_beside_others_that_need_it_not(
    written: io.StringIO, value: object, told: object
) -> None:
    begin(written)
    structlog.get_logger("orchestrator.test").info("event", before="Anna", value=value, after=1)
    (line,) = lines(written)
    assert (line["before"], line["value"], line["after"]) == ("Anna", told, 1)


def test_auto_is_json_where_no_terminal_is(written: io.StringIO) -> None:
    begin(written, "auto")
    structlog.get_logger("orchestrator.test").info("hello")
    assert lines(written)[0]["event"] == "hello"


async def answering(request: Request) -> Response:
    structlog.get_logger("orchestrator.test").info("inside")
    if request.path_params.get("key") == "bug":
        raise RuntimeError("broken")
    return Response(status_code=418, headers={"X-Own": "kept"})


ROUTES = [
    Route("/seqr/notification/{key}", answering, methods=["POST"]),
    Route("/page/{key}", answering),
    Route("/healthz", answering),
]


async def test_a_request_is_told_once_with_its_id_on_all_that_it_logs(written: io.StringIO) -> None:
    begin(written)
    heard: list[tuple[str, int, float]] = []

    async with calling(ROUTES, wrap=lambda app: RequestLog(app, lambda *said: heard.append(said))) as http:
        answer = await http.get("/page/1?secret=in-the-query", headers={"X-Request-ID": "till-7.2"})
    inside, told = lines(written)
    assert answer.headers["X-Request-ID"] == "till-7.2"
    assert answer.headers["X-Own"] == "kept"
    assert (inside["request_id"], told["request_id"]) == ("till-7.2", "till-7.2")
    assert (told["method"], told["path"], told["status"]) == ("GET", "/page/1", 418)
    assert told["duration_ms"] >= 0
    assert [(path, status) for path, status, _ in heard] == [("/page/1", 418)]
    assert not [line for line in lines(written) if "in-the-query" in str(line)]


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "../../etc", "é" * 8, "abc"])
async def test_an_insane_request_id_is_replaced(written: io.StringIO, given: str) -> None:
    begin(written)
    async with calling(ROUTES, wrap=RequestLog) as http:
        answer = await http.get("/page/1", headers=[(b"X-Request-ID", given.encode())])
    assert answer.headers["X-Request-ID"] not in ("", given)


async def test_two_requests_share_nothing(written: io.StringIO) -> None:
    begin(written)
    async with calling(ROUTES, wrap=RequestLog) as http:
        first = await http.get("/page/1")
        second = await http.get("/page/1")
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (f"{PURCHASE}.c2lnbmF0dXJl", f"/seqr/notification/{PURCHASE}.***"),
        ("guessed-signature", "/seqr/notification/.***"),
    ],
)
async def test_a_notification_address_is_not_given_away(written: io.StringIO, key: str, shown: str) -> None:
    begin(written)
    async with calling(ROUTES, wrap=RequestLog) as http:
        await http.post(f"/seqr/notification/{key}")
    assert lines(written)[-1]["path"] == shown
    assert not [line for line in lines(written) if key.rpartition(".")[2] in str(line)]


async def test_what_monitors_ask_is_told_only_when_debugging(written: io.StringIO) -> None:
    begin(written)
    async with calling(ROUTES, wrap=RequestLog) as http:
        await http.get("/healthz")
    assert [line["event"] for line in lines(written)] == ["inside"]


async def test_a_bug_is_told_with_its_trace(written: io.StringIO) -> None:
    begin(written)
    async with calling(ROUTES, wrap=RequestLog) as http:
        answer = await http.get("/page/bug")
    assert answer.status_code == 500
    failed = next(line for line in lines(written) if line["event"] == "http.failed")
    assert "RuntimeError: broken" in failed["exception"]
