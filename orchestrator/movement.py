"""One change of a product's stock, as the table of movements keeps it."""

from __future__ import annotations

from orchestrator.identity import new_id
from orchestrator.stamp import Stamp


def movement(
    token: str,
    kind: str,
    stamp: Stamp,
    *,
    purchase_id: str | None = None,
    round_: int = 0,
    reason: str = "",
    on_hand: int = 0,
    reserved: int = 0,
) -> dict[str, object]:
    """A row to insert; ``on_hand`` and ``reserved`` are the changes. A purchase gives its reason itself."""
    return {
        "id": new_id(),
        "product_token": token,
        "purchase_id": purchase_id,
        "round": round_,
        "at": stamp.at,
        "kind": kind,
        "on_hand": on_hand,
        "reserved": reserved,
        "reason": reason,
        "actor": stamp.actor,
    }
