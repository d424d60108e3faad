"""The table's meanings and reasons, and the tables that are refused."""

from __future__ import annotations

import pytest

from statemachine import (
    MEANINGS,
    REASON_MEANINGS,
    TABLE,
    Reason,
    State,
    StateMachineError,
    Transition,
    Trigger,
)
from statemachine.errors import TableError
from statemachine.table import check

REASONS = {
    ("received", "refuse"): {"invoice_refused"},
    ("received", "give_up"): {"seqr_unreachable"},
    ("received", "run_out"): {"out_of_stock"},
    ("received", "cancel"): {"cancelled_by_merchant"},
    ("invoiced", "close"): {"expired", "cancelled_by_merchant", "cancelled_by_customer", "payment_failed"},
    ("invoiced", "reverse"): {"reversed"},
    ("paid", "reverse"): {"reversed"},
}


def test_reasons_stand_at_the_ways_to_failed_and_at_no_other() -> None:
    found = {
        (arrow.source.value, arrow.trigger.value): {reason.value for reason in arrow.reasons}
        for arrow in TABLE
        if arrow.reasons
    }
    assert found == REASONS
    assert {reason for reasons in found.values() for reason in reasons} == set(Reason)


def test_everything_is_told_in_a_sentence() -> None:
    assert set(MEANINGS) == set(State)
    assert set(REASON_MEANINGS) == set(Reason)
    sentences = [*MEANINGS.values(), *REASON_MEANINGS.values(), *(arrow.meaning for arrow in TABLE)]
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in sentences)


def test_the_table_in_use_is_sound_and_found_by_source_and_trigger() -> None:
    arrows = check(TABLE)
    assert len(arrows) == len(TABLE)
    assert arrows[State.INVOICED, Trigger.PAY].target is State.PAID


_FAILS = frozenset({Reason.EXPIRED})


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (Transition(State.INVOICED, Trigger.PAY, State.STOCKED, "Twice."), "invoiced has two ways for pay"),
        (Transition(State.PAID, Trigger.CANCEL, State.FAILED, "Why?"), "reasons belong to failed"),
        (Transition(State.PAID, Trigger.INVOICE, State.INVOICED, "No.", _FAILS), "reasons belong to failed"),
        (
            Transition(State.STOCKED, Trigger.RETRY, State.RECEIVED, "Again."),
            "^A stocked purchase is done: nothing leaves it",
        ),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(wrong: Transition, words: str) -> None:
    with pytest.raises(TableError, match=words):
        check([*TABLE, wrong])


def test_a_state_that_nothing_leads_to_is_refused() -> None:
    with pytest.raises(StateMachineError, match="Nothing leads to paid, stocked"):
        check([arrow for arrow in TABLE if arrow.target not in (State.PAID, State.STOCKED)])
