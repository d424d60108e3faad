"""Errors as JSON: the words of each interface, and nothing that is nobody's business."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from orchestrator.database import DatabaseUnavailable
from orchestrator.purchase import OutOfStock, PurchaseUnknown, UnknownPurchaseToken
from orchestrator.rest.errors import Refusal, handlers, invalid, problem_of
from orchestrator.sending import InvoiceRefused, SeqrUnavailable
from statemachine import NotAllowed


class Price(BaseModel):
    value: int


class Body(BaseModel):
    price: Price


def wrong_body() -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Body.model_validate({"price": {"value": "hush"}})
    return caught.value


RAISED: dict[str, Exception] = {
    "unknown-token": UnknownPurchaseToken("Nothing with the token x is for sale here."),
    "sold-out": OutOfStock("The stock lacks 1 mug."),
    "refused": InvoiceRefused("SEQR refused the invoice: 49 INVALID_INVOICE_DATA"),
    "unreachable": SeqrUnavailable(retry_after=2),
    "database": DatabaseUnavailable("The database does not answer."),
    "unknown": PurchaseUnknown("There is no purchase 1."),
    "not-allowed": NotAllowed("cancel", "paid", "It is paid."),
    "fields": invalid({"email": "must be a mail address"}),
    "model": wrong_body(),
    "teapot": Refusal(401, "unauthorized", "Who are you?", headers={"WWW-Authenticate": "Bearer"}),
    "left": ClientDisconnect(),
    "bug": RuntimeError("the password is hunter2"),
}


async def raising(request: Request) -> Response:
    raise RAISED[request.path_params["name"]]


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    app = Starlette(
        routes=[Route(f"{prefix}/{{name}}", raising) for prefix in ("/seqr", "/api/v1", "/page")],
        exception_handlers=handlers(),
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("unknown-token", 404, "UNKNOWN_PURCHASE_TOKEN"),
        ("sold-out", 409, "OUT_OF_STOCK"),
        ("refused", 502, "INVOICING_ERROR"),
        ("unreachable", 503, "SYSTEM_ERROR"),
        ("database", 503, "SYSTEM_ERROR"),
        ("fields", 422, "INVALID_REQUEST"),
        ("teapot", 401, "UNAUTHORIZED"),
        ("left", 400, "INVALID_REQUEST"),
        ("bug", 500, "SYSTEM_ERROR"),
    ],
)
async def test_seqr_gets_an_error_code(http: httpx2.AsyncClient, name: str, status: int, code: str) -> None:
    answer = await http.get(f"/seqr/{name}")
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert set(answer.json()) - {"fields"} == {"errorCode", "message"}


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("unknown", 404, "purchase_unknown"),
        ("not-allowed", 409, "not_allowed"),
        ("database", 503, "database_unavailable"),
        ("fields", 422, "invalid_request"),
        ("model", 422, "invalid_request"),
        ("teapot", 401, "unauthorized"),
        ("left", 400, "invalid_request"),
        ("bug", 500, "system_error"),
    ],
)
async def test_the_api_gets_an_error(http: httpx2.AsyncClient, name: str, status: int, code: str) -> None:
    answer = await http.get(f"/api/v1/{name}")
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert set(answer.json()) - {"fields"} == {"error", "message"}


@pytest.mark.parametrize("prefix", ["/seqr", "/api/v1"])
async def test_wrong_fields_are_named(http: httpx2.AsyncClient, prefix: str) -> None:
    answer = await http.get(f"{prefix}/fields")
    assert answer.json()["fields"] == {"email": "must be a mail address"}
    assert "email" in answer.json()["message"]


async def test_a_models_wrong_field_is_named_by_its_path_without_its_value(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/api/v1/model")
    assert list(answer.json()["fields"]) == ["price.value"]
    assert "hush" not in answer.text


@pytest.mark.parametrize(("name", "seconds"), [("database", "5"), ("unreachable", "2")])
async def test_what_may_work_later_says_when(http: httpx2.AsyncClient, name: str, seconds: str) -> None:
    assert (await http.get(f"/seqr/{name}")).headers["Retry-After"] == seconds


async def test_headers_of_a_refusal_go_with_it(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/api/v1/teapot")).headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("prefix", ["/seqr", "/api/v1", "/page"])
async def test_a_bug_tells_nothing_of_itself(http: httpx2.AsyncClient, prefix: str) -> None:
    answer = await http.get(f"{prefix}/bug")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/no/such/thing", 404, "not_found"),
        ("DELETE", "/api/v1/unknown", 405, "method_not_allowed"),
    ],
)
async def test_routes_that_are_not_there_answer_in_json(
    http: httpx2.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await http.request(method, path)
    assert (answer.status_code, answer.json()["error"]) == (status, code)


async def test_pages_get_plain_text_unless_they_bring_their_own() -> None:
    async def page(request: Request, error: Exception) -> Response:
        return Response(f"<h1>{problem_of(error).status.value}</h1>", media_type="text/html")

    seen: dict[str, Any] = {}
    for name, found in (("plain", handlers()), ("own", handlers(page))):
        app = Starlette(exception_handlers=found)
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url="http://shop"
        ) as client:
            seen[name] = (await client.get("/nowhere")).text
    assert seen == {"plain": "Not Found.", "own": "<h1>404</h1>"}
