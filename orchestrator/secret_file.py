"""Secrets that are made once and kept in a file of their own, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def kept_secret(path: Path, random_bytes: int) -> str:
    """The secret that ``path`` keeps for all processes of this machine; made when it is not there yet."""
    if not path.exists():
        _make_secret(path, random_bytes)
    return path.read_text().strip()


def _make_secret(path: Path, random_bytes: int) -> None:
    """Write the secret beside its place, then give it its name: nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Only the owner may read it.
    with NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}.") as draft:
        draft.write(secrets.token_urlsafe(random_bytes))
        draft.flush()
        with suppress(FileExistsError):  # another process was first: its secret counts
            os.link(draft.name, path)
