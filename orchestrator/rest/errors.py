"""How errors become JSON answers, in the words of each interface, and never with a trace.

``/seqr`` answers ``{"errorCode", "message"}``, ``/api/v1`` and the probes ``{"error", "message"}``;
``fields`` is added where single fields are wrong. Handlers raise; this file answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import structlog
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from orchestrator.errors import OrchestratorError
from statemachine import NotAllowed

log = structlog.get_logger(__name__)

Handler = Callable[[Request, Exception], Awaitable[Response]]
Fields = Mapping[str, str]

RETRY_AFTER_SECONDS = 5

_STATUSES = {
    "purchase_unknown": HTTPStatus.NOT_FOUND,
    "product_unknown": HTTPStatus.NOT_FOUND,
    "unknown_purchase_token": HTTPStatus.NOT_FOUND,
    "out_of_stock": HTTPStatus.CONFLICT,
    "stock_error": HTTPStatus.CONFLICT,
    "changed": HTTPStatus.CONFLICT,
    "too_many_requests": HTTPStatus.TOO_MANY_REQUESTS,
    "invalid_money": HTTPStatus.UNPROCESSABLE_ENTITY,
    "invoicing_error": HTTPStatus.BAD_GATEWAY,
}
"""The status of an error of ours, by its code. Others are 503 where trying again may help, else 500."""

_WAIT = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)

_CODES = {
    HTTPStatus.UNAUTHORIZED: "unauthorized",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.TOO_MANY_REQUESTS: "too_many_requests",
    HTTPStatus.SERVICE_UNAVAILABLE: "system_error",
}


class Refusal(OrchestratorError):
    """The request cannot be answered as asked.

    Args:
        status: the HTTP status.
        code: a stable name in lower case; ``/seqr`` shows it in upper case.
        message: what is wrong and what to do about it.
        fields: which fields are wrong, and why each.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        fields: Fields | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = HTTPStatus(status)
        self.code = code
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Problem:
    """An error, ready to be told."""

    status: HTTPStatus
    code: str
    message: str
    fields: Fields = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def invalid(fields: Fields) -> Refusal:
    """422: these fields are wrong; each with a sentence that says why."""
    named = ", ".join(fields)
    return Refusal(422, "invalid_request", f"Not valid: {named}. See fields.", fields=fields)


def problem_of(error: Exception) -> Problem:
    """What to tell of ``error``. What nobody expected is told as 500, without its text."""
    if isinstance(error, ClientDisconnect):  # nobody hears this, but the log tells of it
        error = HTTPException(400, "The request was cut off in the middle")
    match error:
        case Refusal():
            return Problem(error.status, error.code, error.message, error.fields, error.headers)
        case NotAllowed():
            return Problem(HTTPStatus.CONFLICT, "not_allowed", error.why)
        case ValidationError():
            return problem_of(invalid(_wrong_fields(error)))
        case OrchestratorError():
            return _own_problem(error)
        case HTTPException():
            return _http_problem(error)
        case _:
            message = "The orchestrator failed on this request. Its log says why; please try again."
            return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "system_error", message)


def _own_problem(error: OrchestratorError) -> Problem:
    unlisted = HTTPStatus.SERVICE_UNAVAILABLE if error.retryable else HTTPStatus.INTERNAL_SERVER_ERROR
    status = _STATUSES.get(error.code, unlisted)
    seconds = getattr(error, "retry_after", RETRY_AFTER_SECONDS)
    headers = {"Retry-After": str(seconds)} if status in _WAIT else {}
    return Problem(status, error.code, error.message, headers=headers)


def _http_problem(error: HTTPException) -> Problem:
    status = HTTPStatus(error.status_code)
    code = _CODES.get(status, "invalid_request")
    return Problem(status, code, f"{error.detail}.".replace("..", "."), headers=error.headers or {})


def _wrong_fields(error: ValidationError) -> dict[str, str]:
    """Each wrong field by its path, ``price.value``, with the reason; the values stay out of it."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return {
        ".".join(str(step) for step in wrong["loc"]) or "body": wrong["msg"].removeprefix("Value error, ")
        for wrong in found
    }


def seqr_answer(problem: Problem) -> JSONResponse:
    """The answer in the words of ``/seqr``: SEQR's sister service has the same shape (facts)."""
    internal = problem.status in (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
    code = "system_error" if internal else problem.code
    return _answer(problem, {"errorCode": code.upper(), "message": problem.message})


def api_answer(problem: Problem) -> JSONResponse:
    """The answer in the words of ``/api/v1``."""
    return _answer(problem, {"error": problem.code, "message": problem.message})


def _answer(problem: Problem, body: dict[str, object]) -> JSONResponse:
    if problem.fields:
        body["fields"] = dict(problem.fields)
    return JSONResponse(body, problem.status, headers=dict(problem.headers))


_WORDS: Mapping[str, Callable[[Problem], JSONResponse]] = {
    "/seqr/": seqr_answer,
    "/api/": api_answer,
    "/healthz": api_answer,
    "/readyz": api_answer,
    "/metrics": api_answer,
}


def handlers(elsewhere: Handler | None = None) -> dict[type[Exception] | int, Handler]:
    """For ``Starlette(exception_handlers=...)``. ``elsewhere`` answers for every other path (the pages);
    without it they get plain text.

    What nobody expected is raised again by Starlette after the answer, so ``RequestLog`` tells of it.
    """

    async def answer(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        if isinstance(error, OrchestratorError) and problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.warning("request.refused", code=problem.code, why=problem.message)
        for prefix, words in _WORDS.items():
            if request.url.path.startswith(prefix):
                return words(problem)
        return await (elsewhere or _plain)(request, error)

    kinds = (OrchestratorError, NotAllowed, ValidationError, HTTPException, ClientDisconnect, Exception)
    return dict.fromkeys(kinds, answer)


async def _plain(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    return Response(problem.message, problem.status, dict(problem.headers), media_type="text/plain")
