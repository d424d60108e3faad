"""The story of a run: who did what, and when. Printed for a seed that fails."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

Line = tuple[float, str, str]


class Story:
    """Lines of virtual time, who, and what; ids are told by short names once they have one."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._names: dict[str, str] = {}

    def tell(self, at: float, who: str, what: str) -> None:
        """Add a line. ``at`` is in seconds since the beginning."""
        self._lines.append((at, who, what))

    def name(self, names: Mapping[str, str]) -> None:
        """Say how long ids are told: ``{"0195...": "P1"}``."""
        self._names.update(names)

    def lines(self) -> Sequence[str]:
        """The whole story."""
        return [f"{at:10.3f}  {who:<12} {self._short(what)}" for at, who, what in self._lines]

    def digest(self) -> str:
        """The same for the same story: of its long form, byte for byte."""
        text = "\n".join(f"{at!r} {who} {what}" for at, who, what in self._lines)
        return hashlib.sha256(text.encode()).hexdigest()

    def _short(self, what: str) -> str:
        if "-" not in what:
            return what
        for long, short in self._names.items():
            what = what.replace(long, short)
        return what
