"""``/api/v1/purchases``: list, look at, retry and cancel purchases."""

from __future__ import annotations

import base64
import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from orchestrator import purchase_queries
from orchestrator.parts import Parts
from orchestrator.purchase import PurchaseUnknown
from orchestrator.purchase_queries import ExchangeRecord, PurchaseRecord, TransitionRecord
from orchestrator.rest import representation
from orchestrator.rest.auth import Endpoint, address_of, guarded
from orchestrator.rest.errors import invalid
from orchestrator.selection import Filter
from statemachine import Action, State

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200
LONGEST_SEARCH = 200

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _states(value: str) -> str:
    unknown = [name for name in value.split(",") if name not in set(State)]
    if unknown:
        raise ValueError(f"{unknown[0][:32]!r} is no state. The states are {', '.join(State)}.")
    return value


def _searchable(value: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
        raise ValueError("has a control character")
    return value.strip()


def _time(value: str) -> str:
    moment(value)
    return value


def _cursor(value: str) -> str:
    cursor_id(value)
    return value


class PurchaseQuery(BaseModel):
    """The query of ``GET /purchases``, as text; an empty value is none."""

    model_config = ConfigDict(frozen=True)

    state: Annotated[str, AfterValidator(_states)] | None = None
    q: Annotated[str, Field(max_length=LONGEST_SEARCH), AfterValidator(_searchable)] = ""
    since: Annotated[str, AfterValidator(_time)] | None = None
    until: Annotated[str, AfterValidator(_time)] | None = None
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=LARGEST_LIMIT)
    cursor: Annotated[str, AfterValidator(_cursor)] | None = None

    @classmethod
    def of(cls, request: Request) -> PurchaseQuery:
        """Read the request's query. Raises ValidationError, or Refusal for a name that comes twice."""
        given = {name: value for name, value in request.query_params.multi_items() if value}
        for name in cls.model_fields:
            if len(request.query_params.getlist(name)) > 1:
                raise invalid({name: "comes more than once"})
        return cls.model_validate(given)

    def filter(self) -> Filter:
        """Which purchases it asks for."""
        return Filter(
            states=tuple(self.state.split(",")) if self.state else (),
            q=self.q,
            since=moment(self.since) if self.since else None,
            until=moment(self.until) if self.until else None,
        )


def moment(text: str) -> datetime:
    """A time or a day in ISO 8601, taken as UTC where it names no zone. Raises ValueError."""
    try:
        # In a query an unescaped + reads as a space: 2026-03-01T12:00:00 01:00.
        found = _parsed(text) or datetime.fromisoformat(text.replace(" ", "+"))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("should be a time in ISO 8601, such as 2026-03-01T12:00:00Z") from None


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def cursor_of(purchase_id: str) -> str:
    """The opaque text that stands for "after this purchase"."""
    return base64.urlsafe_b64encode(purchase_id.encode()).decode().rstrip("=")


def cursor_id(cursor: str) -> str:
    """The purchase id in a cursor of ours. Raises ValueError."""
    try:
        purchase_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:  # of base64 or of ASCII
        purchase_id = ""
    if not _ID.fullmatch(purchase_id):
        raise ValueError("is none that this list gave out")
    return purchase_id


async def list_purchases(parts: Parts, request: Request, actor: str) -> Response:
    """One page, newest first."""
    query = PurchaseQuery.of(request)
    after = cursor_id(query.cursor) if query.cursor else None
    page = await parts.database.read(purchase_queries.page, query.filter(), query.limit, after)
    items = [representation.purchase(record) for record in page.items]
    return JSONResponse({"items": items, "next": cursor_of(page.last_id) if page.last_id else None})


async def show_purchase(parts: Parts, request: Request, actor: str) -> Response:
    """One purchase with what happened to it and what was said to SEQR."""
    record, moves, calls = await parts.database.read(_whole, _purchase_id(request))
    shown = representation.purchase(record)
    shown["transitions"] = [representation.transition(move) for move in moves]
    shown["exchanges"] = [representation.exchange(call) for call in calls]
    return JSONResponse(shown)


def _whole(
    connection: Connection, purchase_id: str
) -> tuple[PurchaseRecord, list[TransitionRecord], list[ExchangeRecord]]:
    return (
        purchase_queries.find(connection, purchase_id),
        purchase_queries.transitions(connection, purchase_id),
        purchase_queries.exchanges_of(connection, purchase_id),
    )


def _acting(action: Action) -> Endpoint:
    async def act(parts: Parts, request: Request, actor: str) -> Response:
        """Do it, and show the purchase after it."""
        purchase_id = _purchase_id(request)
        await parts.settlement.act(purchase_id, action, actor, address=address_of(request))
        record = await parts.database.read(purchase_queries.find, purchase_id)
        return JSONResponse(representation.purchase(record))

    return act


def _purchase_id(request: Request) -> str:
    purchase_id = request.path_params["purchase_id"]
    if not _ID.fullmatch(purchase_id):
        raise PurchaseUnknown("There is no such purchase.")
    structlog.contextvars.bind_contextvars(purchase_id=purchase_id)
    return str(purchase_id)


def routes(parts: Parts) -> list[Route]:
    """The routes, each behind a token."""
    one = "/api/v1/purchases/{purchase_id}"
    return [
        Route("/api/v1/purchases", guarded(parts, list_purchases), methods=["GET"]),
        Route(one, guarded(parts, show_purchase), methods=["GET"]),
        Route(f"{one}/retry", guarded(parts, _acting(Action.RETRY)), methods=["POST"]),
        Route(f"{one}/cancel", guarded(parts, _acting(Action.CANCEL)), methods=["POST"]),
    ]
