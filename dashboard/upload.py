"""Forms with a file: read whole, within limits."""

from __future__ import annotations

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from dashboard.guard import check_ours
from dashboard.language import mark

LARGEST_BODY = 4_000_000
"""Bytes of a form with all its fields. What a single file may have is for its page to say."""

HEARD_OUT = 64_000_000
"""Bytes of a form that is too large which are read and thrown away, so that the browser hears the answer."""
_FIELDS = 8
_TOO_LARGE = mark("What was sent has more than 4 MB. Nothing was done with it.")


async def read_upload(request: Request) -> dict[str, str]:
    """The fields of a form, and what its files contain: text whose bytes ``content`` gives back.

    Raises:
        HTTPException: 403 when it is not one of ours, 413 when it is too large.
    """
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit() and int(length) <= LARGEST_BODY):
        await _hear_out(request)
        raise HTTPException(413, _TOO_LARGE)
    fields: dict[str, str] = {}
    async with request.form(max_files=1, max_fields=_FIELDS, max_part_size=LARGEST_BODY) as sent:
        for name, value in sent.items():
            fields[name] = _text(await value.read()) if isinstance(value, UploadFile) else value
    check_ours(request, fields)
    return fields


def content(field: str) -> bytes:
    """The bytes of a file that was sent, or of what was typed."""
    return field.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


async def _hear_out(request: Request) -> None:
    heard = 0
    async for chunk in request.stream():
        heard += len(chunk)
        if heard > HEARD_OUT:
            return
