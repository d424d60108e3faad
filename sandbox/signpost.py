"""The bar on top of every page of the demo: the way to its rooms, and how SEQR is."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.faults import Faults
from sandbox.trouble import Trouble, troubles


@dataclass(frozen=True, slots=True)
class Signpost:
    """The rooms' addresses; one that is None is not shown. ``here``: the name of the room that one is in.

    ``faults``: what to tell about SEQR; None where that is not known.
    """

    here: str
    shop: str | None = None
    phone: str | None = None
    panel: str | None = None
    dashboard: str | None = None
    faults: Faults | None = None

    @property
    def rooms(self) -> list[tuple[str, str]]:
        """Name and address of each room."""
        ways = {"Shop": self.shop, "Phone": self.phone, "Panel": self.panel, "Dashboard": self.dashboard}
        return [(name, address) for name, address in ways.items() if address]

    @property
    def down(self) -> bool:
        """Whether SEQR is switched off."""
        return self.faults is not None and self.faults.down

    @property
    def troubles(self) -> list[Trouble]:
        """The finer faults that are switched on."""
        return troubles(self.faults) if self.faults is not None else []
