"""What the audit log records, in words and with a way to what it was done to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import orchestrator
from dashboard.deeds import DEEDS, KINDS, address_of, told
from dashboard.language import language
from statemachine import Action

ROOT = Path(orchestrator.__file__).parent.parent
RECORDED = re.compile(r'audit\.record\((?:[^()]|\([^()]*\))*?"([a-z]+\.[a-z_]+)"', re.DOTALL)


def recorded() -> set[str]:
    """The actions that the code records."""
    files = [path for room in ("orchestrator", "dashboard") for path in (ROOT / room).rglob("*.py")]
    found = {action for path in files for action in RECORDED.findall(path.read_text("utf-8"))}
    return found | {f"purchase.{action.value}" for action in Action}


def test_every_action_that_is_recorded_has_words() -> None:
    assert {"user.sign_in", "token.make", "bulk.start"} <= recorded()
    assert recorded() <= set(DEEDS)
    assert {action.partition(".")[0] for action in DEEDS} == set(KINDS)


def test_an_action_of_a_newer_version_is_told_as_it_is_written() -> None:
    assert told("moon.land", language("en")) == "moon.land"
    assert told("user.add", language("en")) == "Added a user"


@pytest.mark.parametrize(
    ("action", "subject", "operators", "admins"),
    [
        ("purchase.cancel", "01a", "/purchases/01a", "/purchases/01a"),
        ("bulk.start", "01b", "/bulk/01b", "/bulk/01b"),
        ("stock.receive", "a/b", "/products/a%2Fb", "/products/a%2Fb"),
        ("product.import", "catalogue", "", ""),
        ("mail.resend", "01c", "/mails/01c", "/mails/01c"),
        ("user.role", "anna@shop", "", "/system/users/anna@shop"),
        ("user.remove", "anna", "", ""),
        ("user.refused", "", "", ""),
        ("token.make", "Till", "", "/system/tokens"),
        ("moon.land", "x", "", ""),
    ],
)
def test_a_subject_leads_to_its_page(action: str, subject: str, operators: str, admins: str) -> None:
    assert address_of(action, subject, may_administer=False) == operators
    assert address_of(action, subject, may_administer=True) == admins
