"""Static files and their addresses: each carries a mark of its content, so browsers may keep it for ever."""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
PREFIX = "/static/dashboard"
_FOR_EVER = "public, max-age=31536000, immutable"


class Assets(StaticFiles):
    """The files under ``static``."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)
        self._marks: dict[str, str] = {}

    def address(self, path: str) -> str:
        """The address of a file in pages. Raises FileNotFoundError for one that is not there."""
        if path not in self._marks:
            self._marks[path] = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
        return f"{PREFIX}/{path}?{self._marks[path]}"

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if scope["query_string"]:
            response.headers["Cache-Control"] = _FOR_EVER
        return response
