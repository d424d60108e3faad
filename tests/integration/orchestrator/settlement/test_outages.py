"""SEQR away for a while: once it is back all that is open is asked about, the likeliest payments first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator import reconcile, watch
from statemachine import State
from tests.fixtures.desk import BENGT, MUG, Clock, Desk
from tests.fixtures.seqr import unknown

STEP = 0.5


class Seconds:
    """The monotonic clock, turned with the desk's."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._began = clock, clock()

    def monotonic(self) -> float:
        return (self._clock() - self._began).total_seconds() + 1000


@pytest.fixture
def desk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(reconcile, "time", Seconds(desk.clock))
    return desk


async def pass_seconds(desk: Desk, seconds: float) -> None:
    for _ in range(int(seconds / STEP)):
        await desk.tick(STEP)


@pytest.mark.parametrize("number", [1, 9])
@pytest.mark.parametrize("away", [16, 30])
async def test_a_payment_16_seconds_before_seqr_is_back_is_asked_about_in_time(
    desk: Desk, number: int, away: int
) -> None:
    for buyer in range(number):
        await desk.settlement.place(replace(MUG, name=f"Customer {buyer}"))
    desk.seqr.always("getPaymentStatus", unknown())
    await pass_seconds(desk, away - 16)
    for buyer in range(number):
        desk.seqr.pay(f"R{buyer + 1}")
    await pass_seconds(desk, 16)
    desk.seqr.always("getPaymentStatus", None)
    back = desk.clock()
    while any(row["state"] != State.STOCKED.value for row in await desk.purchases()):
        await desk.tick(STEP)
        assert (desk.clock() - back).total_seconds() <= 3, (
            "SEQR takes the payments back 4 s after it came back"
        )


async def test_seqr_is_spared_while_it_is_down(desk: Desk) -> None:
    for buyer in range(9):
        await desk.settlement.place(replace(MUG, name=f"Customer {buyer}"))
    desk.seqr.always("getPaymentStatus", unknown())
    await pass_seconds(desk, 10)
    before = len(desk.seqr.calls)
    await pass_seconds(desk, 30)
    assert 25 <= len(desk.seqr.calls) - before <= 31, "one a second"


async def test_what_seqr_called_about_is_asked_first_and_then_the_youngest(desk: Desk) -> None:
    for buyer in range(4):
        await desk.settlement.place(replace(BENGT, name=f"Customer {buyer}"))
        desk.clock.turn(1)
    ids = [row["id"] for row in await desk.purchases()]
    await desk.database.write(watch.told, ids[1], "127.0.0.1", desk.clock())
    desk.clock.turn(10)
    claimed = await desk.database.write(watch.claim, desk.parts.settings, desk.clock(), 200)
    assert [found.purchase.id for found in claimed] == [ids[1], ids[3], ids[2], ids[0]]


async def test_only_what_was_not_answered_is_woken(desk: Desk) -> None:
    answered = await desk.buy()
    desk.clock.turn(0.1)
    silent = await desk.buy(BENGT)
    desk.seqr.then("getPaymentStatus", unknown())
    await desk.settlement.check(silent, "test")
    assert await desk.database.write(watch.wake_unanswered, desk.clock()) == 1
    due = {row["id"]: row["next_check_at"] for row in await desk.purchases()}
    assert due[silent] == desk.clock()
    assert due[answered] > desk.clock()
