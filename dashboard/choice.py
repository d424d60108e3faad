"""What somebody has chosen on the list of purchases: ids, or everything that matches its filter."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Sequence
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request

from dashboard.guard import check_ours
from dashboard.language import mark
from orchestrator.bulk import MOST, Seen

_ENTRY = struct.Struct("!16sI")
_LARGEST_FIELD = 512 * 1024
"""Bytes: room for the most purchases that a run may have, as ids or as what was seen."""
_MOST_FIELDS = 1000

_TORN = mark("The selection was not understood. Go back to the list and choose again.")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form with a selection; the ids that were ticked are together in ``ids``.

    Raises HTTPException 403 when it is not one of ours.
    """
    async with request.form(max_files=0, max_fields=_MOST_FIELDS, max_part_size=_LARGEST_FIELD) as sent:
        fields = {name: value for name, value in sent.items() if isinstance(value, str)}
        ticked = [value for value in sent.getlist("id") if isinstance(value, str)]
    check_ours(request, fields)
    return fields | {"ids": " ".join([*fields.get("ids", "").split(), *ticked])}


def ids_of(text: str) -> list[str]:
    """The ids in a field, each once."""
    return list(dict.fromkeys(text.split()))


def pack(chosen: Sequence[Seen]) -> str:
    """What was seen in a dry run, for a hidden field: it comes back with the confirmation, so that nothing
    has to be kept here in between."""
    entries = (_ENTRY.pack(UUID(seen.purchase_id).bytes, seen.revision) for seen in chosen)
    return base64.b64encode(b"".join(entries)).decode()


def unpack(text: str) -> list[Seen]:
    """What ``pack`` made. Raises HTTPException 400 for anything else."""
    try:
        entries = list(_ENTRY.iter_unpack(base64.b64decode(text, validate=True)))
    except (binascii.Error, struct.error):
        raise HTTPException(400, _TORN) from None
    if len(entries) > MOST:
        raise HTTPException(400, _TORN)
    return [Seen(str(UUID(bytes=id_)), revision) for id_, revision in entries]
