"""The journal replayed: it gives what is stored of every purchase, and what was changed past it is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, delete, text, update

from orchestrator import replay
from orchestrator.doctor import Health
from orchestrator.doctor.ground import check_journal
from orchestrator.money import Money
from orchestrator.tables import journal, purchases
from statemachine import Action
from tests.fixtures.desk import BENGT, MUG, Desk
from tests.fixtures.operations import settings
from tests.fixtures.tampering import unguarded

Tamper = Callable[[Connection], object]


async def busy_day(desk: Desk) -> None:
    """One purchase stocked, one failed and begun anew, one with a mark, one that nobody has paid."""
    bought = []
    for name in ("Anna", "Bo", "Cia", "Dan"):
        bought.append(await desk.buy(replace(MUG, name=name)))
        desk.clock.turn(0.1)  # ids of one moment have no order
    desk.seqr.pay("R1")
    desk.seqr.says("R2", "FAILED")
    desk.seqr.says("R3", "PAID", paid=Money(Decimal(1), "SEK"))
    await desk.tick(2)
    await desk.act(bought[1], Action.RETRY)
    await desk.tick(2)


async def test_the_journal_gives_what_is_stored(desk: Desk, database_url: str) -> None:
    await busy_day(desk)
    assert await desk.database.read(replay.sample) == replay.Replayed(4, ())
    found = await check_journal(settings(database_url=SecretStr(database_url)))
    assert (found.health, found.sentence) == (
        Health.OK,
        "The journal gives the stored state of each of 4 purchases replayed.",
    )


def _state(connection: Connection) -> None:
    connection.execute(update(purchases).where(purchases.c.state == "stocked").values(state="paid"))


def _revision(connection: Connection) -> None:
    connection.execute(update(purchases).where(purchases.c.state == "stocked").values(revision=7))


def _attention(connection: Connection) -> None:
    connection.execute(update(purchases).where(purchases.c.attention.is_not(None)).values(attention=None))


def _lost_row(connection: Connection) -> None:
    unguarded(connection, Connection.execute, delete(journal).where(journal.c.trigger == "pay"))


def _lost_end(connection: Connection) -> None:
    unguarded(connection, Connection.execute, delete(journal).where(journal.c.trigger == "stock"))


def _unlawful(connection: Connection) -> None:
    changed = update(journal).where(journal.c.trigger == "stock").values(trigger="pay")
    unguarded(connection, Connection.execute, changed)


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (_state, "is paid at revision 4, its journal ends with stocked at 4"),
        (_revision, "is stocked at revision 7, its journal ends with stocked at 4"),
        (_attention, "its attention mark is not the journal's"),
        (_lost_row, "row 3 of its journal is missing"),
        (_lost_end, "is stocked at revision 4, its journal ends with paid at 3"),
        (_unlawful, "row 4 of its journal, paid → pay → stocked, cannot follow on paid"),
    ],
)
async def test_what_was_changed_past_the_program_is_found(
    desk: Desk, database_url: str, tamper: Tamper, words: str
) -> None:
    await busy_day(desk)
    await desk.database.write(tamper)
    found = await check_journal(settings(database_url=SecretStr(database_url)))
    assert found.health is Health.FAIL
    assert "The journal of 1 of 4 purchases" in found.sentence
    assert words in found.sentence
    assert found.remedy


async def test_of_many_purchases_the_latest_and_some_of_all_times_are_replayed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "NEWEST", 2)
    monkeypatch.setattr(replay, "WINDOWS", 40)
    monkeypatch.setattr(replay, "IN_WINDOW", 1)
    for order in [replace(BENGT, name=f"Bengt {number}") for number in range(6)]:
        await desk.buy(order)
        desk.clock.turn(60)
    found = await desk.database.read(replay.sample)
    assert 4 <= found.number <= 6
    assert found.disagreements == ()


class Chance:
    """Always falls on the same part of the time between the first purchase and the last."""

    def __init__(self, part: float) -> None:
        self.random = lambda: part


@pytest.mark.parametrize(("part", "older"), [(0.0, 0), (0.5, 3), (0.7, 4)])
async def test_chance_decides_which_of_the_older_purchases_are_replayed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, part: float, older: int
) -> None:
    for name, value in (("NEWEST", 1), ("WINDOWS", 1), ("IN_WINDOW", 1), ("_CHANCE", Chance(part))):
        monkeypatch.setattr(replay, name, value)
    ids = []
    for number in range(6):
        ids.append(await desk.buy(replace(BENGT, name=f"Bengt {number}")))
        desk.clock.turn(60)
    marked = update(purchases).values(attention="Nobody wrote this down.")
    await desk.database.write(lambda connection: connection.execute(marked))
    found = await desk.database.read(replay.sample)
    said = "its attention mark is not the journal's."
    assert found == replay.Replayed(2, (f"{ids[older]}: {said}", f"{ids[5]}: {said}"))


async def test_a_database_that_lacks_migrations_is_not_replayed(desk: Desk, database_url: str) -> None:
    await desk.database.write(_pretend)
    found = await check_journal(settings(database_url=SecretStr(database_url)))
    assert found.health is Health.WARN
    assert "this version needs" in found.sentence


def _pretend(connection: Connection) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
