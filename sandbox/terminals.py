"""Who may call SEQR: terminals and resellers, and the check of their credentials."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sandbox.errors import Refusal, ResultCode

TERMINAL = "TERMINALID"
RESELLER = "RESELLERUSER"

PUBLIC_TEST_TERMINALS: Mapping[str, str] = {"public_test_shop_terminal": "12345678"}
"""SEQR's published test terminal (facts, "Public test credentials")."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller that SEQR knows.

    ``registered``: the terminal came from registerTerminal and so is a cash register, which holds one
    invoice at a time (facts, rule 5).
    """

    id: str
    password: str = field(repr=False)
    type: str = TERMINAL
    user_id: str | None = None
    registered: bool = False


PUBLIC_TEST_RESELLER = Principal("public_test_shop", "1234", type=RESELLER, user_id="9900")


class Terminals:
    """The principals that may sign in."""

    def __init__(self, terminals: Mapping[str, str] = PUBLIC_TEST_TERMINALS) -> None:
        self._known = {id_: Principal(id_, password) for id_, password in terminals.items()}
        self.add(PUBLIC_TEST_RESELLER)

    def add(self, principal: Principal) -> None:
        """Make a principal known, or replace the one with the same id."""
        self._known[principal.id] = principal

    def __iter__(self) -> Iterator[Principal]:
        return iter(self._known.values())

    def authenticate(
        self, id_: str | None, type_: str | None, user_id: str | None, password: str
    ) -> Principal:
        """The principal with these credentials.

        Raises:
            Refusal: 29 no such id or type can be, 37 unknown principal, 20 wrong password.
        """
        if not id_ or type_ not in (TERMINAL, RESELLER):
            raise Refusal(
                ResultCode.INVALID_INITIATOR_PRINCIPAL_ID,
                f"initiatorPrincipalId needs an id and the type {TERMINAL} or {RESELLER}",
            )
        known = self._known.get(id_)
        if known is None or known.type != type_:
            raise Refusal(ResultCode.INITIATOR_PRINCIPAL_NOT_FOUND, f"no {type_} {id_} is known here")
        if known.user_id is not None and user_id != known.user_id:
            raise Refusal(ResultCode.INITIATOR_PRINCIPAL_NOT_FOUND, f"{id_} has no such userId")
        if not hmac.compare_digest(known.password.encode(), password.encode()):
            raise Refusal(ResultCode.AUTHENTICATION_FAILED, f"wrong password for {id_}")
        return known
