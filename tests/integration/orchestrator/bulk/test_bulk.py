"""Bulk runs as rows: begun once, claimed by one at a time, stopped, ended."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert

from orchestrator import bulk, forecast
from orchestrator.bulk import ItemState, RunRefused, RunUnknown, Seen, Task
from orchestrator.database import Database, open_database
from orchestrator.identity import new_id, now
from orchestrator.purchase import PurchaseUnknown
from orchestrator.stamp import Stamp
from orchestrator.tables import audit, purchases
from statemachine import Action, Effect, State
from tests.fixtures.bulk import begin, items, run_of, wish
from tests.fixtures.dashboard import _purchase, place

OLLE = "operator:olle"


async def seen(database: Database, *states: str) -> list[Seen]:
    """A purchase in each of the states."""
    return [Seen(await database.write(place, state), 2) for state in states]


async def test_a_forecast_groups_by_state_and_writes_nothing(database: Database) -> None:
    chosen = [await database.write(place, state) for state in ("invoiced", "invoiced", "stocked", "failed")]
    told = await database.read(forecast.read, Action.CANCEL, [*chosen, chosen[0], "not-there"])
    assert [(group.state, group.effect, group.number) for group in told.groups] == [
        (State.INVOICED, Effect.CANCEL_INVOICE, 2),
        (State.STOCKED, None, 1),
        (State.FAILED, None, 1),
    ]
    assert told.groups[1].words == "It is paid and stocked: it can no longer be cancelled."
    assert told.groups[0].examples == tuple(sorted(chosen[:2]))
    assert (told.acted_on, told.refused) == (2, 2)
    assert {(one.purchase_id, one.revision) for one in told.seen} == {
        (chosen[0], 2),
        (chosen[1], 2),
        (chosen[2], 4),
        (chosen[3], 2),
    }
    assert await items(database) == []


async def test_a_run_is_begun_once_however_often_it_is_confirmed(database: Database) -> None:
    chosen, once = await seen(database, "invoiced", "failed"), wish(Action.CHECK, why="monday")
    stamp = Stamp(OLLE, now())
    begun = await asyncio.gather(
        *(database.write(bulk.begin, once, chosen, stamp, "192.0.2.1") for _ in range(3))
    )
    assert sorted(begun) == [False, False, True]
    run = await run_of(database, once.id)
    assert (run["state"], run["total"], run["actor"], run["why"]) == ("running", 2, OLLE, "monday")

    def trail(connection: Connection) -> list[tuple[str, str, str, str]]:
        rows = connection.execute(audit.select().where(audit.c.subject == once.id))
        return [(row.action, row.actor, row.detail, row.address) for row in rows]

    (entry,) = await database.read(trail)
    assert entry == ("bulk.start", OLLE, "check: 2 × /purchases?state=failed. Why: monday", "192.0.2.1")


async def test_a_run_has_one_purchase_at_least_and_ten_thousand_at_most(database: Database) -> None:
    stamp = Stamp(OLLE, now())
    with pytest.raises(RunRefused, match="at most 10,000"):
        await database.write(bulk.begin, wish(), [], stamp)
    many = [Seen(new_id(), 1) for _ in range(bulk.MOST + 1)]
    with pytest.raises(RunRefused, match="at most 10,000"):
        await database.write(bulk.begin, wish(), many, stamp)
    with pytest.raises(PurchaseUnknown, match="2 of the chosen purchases do not exist"):
        await database.write(bulk.begin, wish(), many[:2], stamp)


async def test_ten_thousand_are_taken(database: Database) -> None:
    at = now()

    def fill(connection: Connection) -> list[Seen]:
        over = {"state": "failed", "reason": "expired", "revision": 2}
        rows = [_purchase(at) | over for _ in range(bulk.MOST)]
        connection.execute(insert(purchases), rows)
        return [Seen(row["id"], 2) for row in rows]

    chosen = await database.write(fill)
    told = await database.read(forecast.read, Action.CHECK, [one.purchase_id for one in chosen])
    assert told.acted_on == bulk.MOST
    await database.write(bulk.begin, wish(), told.seen, Stamp(OLLE, at))
    assert len(await items(database)) == bulk.MOST


async def test_an_item_is_leased_to_one_and_free_again_when_the_lease_is_over(database: Database) -> None:
    run_id = await begin(database, await seen(database, "invoiced"))
    at = now()
    task = await database.write(bulk.claim, at)
    assert task is not None
    assert (task.run_id, task.action, task.actor, task.tries) == (run_id, Action.CANCEL, OLLE, 1)
    assert await database.write(bulk.claim, at + bulk.LEASE - timedelta(seconds=1)) is None
    again = await database.write(bulk.claim, at + bulk.LEASE)
    assert again is not None
    assert (again.purchase_id, again.tries) == (task.purchase_id, 2)
    await database.write(bulk.record, again, ItemState.DONE, "failed")
    await database.write(bulk.record, task, ItemState.REFUSED, "too late")
    assert [(row["state"], row["outcome"]) for row in await items(database)] == [("done", "failed")]


async def test_two_processes_never_get_the_same_item(database: Database, database_url: str) -> None:
    chosen = await seen(database, *["invoiced"] * 12)
    await begin(database, chosen)
    other = open_database(database_url)
    at, taken = now(), list[str]()

    async def take(process: Database) -> None:
        while (task := await process.write(bulk.claim, at)) is not None:
            taken.append(task.purchase_id)

    await asyncio.gather(*(take(process) for process in (database, other) * 3))
    await other.close()
    assert sorted(taken) == sorted(one.purchase_id for one in chosen)


async def test_a_short_run_does_not_wait_for_a_long_one(database: Database) -> None:
    long = await begin(database, await seen(database, *["failed"] * 5))
    short = await begin(database, await seen(database, "invoiced"))
    claimed = [await database.write(bulk.claim, now(), turn) for turn in (1, 2, 3)]
    assert {task.run_id for task in claimed if task is not None} == {long, short}


async def test_stopping_leaves_what_nobody_has_begun(database: Database) -> None:
    run_id = await begin(database, await seen(database, "invoiced", "invoiced", "invoiced"))
    task = await claimed(database)
    assert await database.write(bulk.stop, run_id, Stamp("operator:ada", now()))
    assert (await run_of(database, run_id))["state"] == "stopping"
    assert sorted(row["state"] for row in await items(database)) == ["left", "left", "waiting"]
    await database.write(bulk.record, task, ItemState.DONE, "failed")
    await database.write(bulk.finish, now())
    run = await run_of(database, run_id)
    assert run["state"] == "stopped"
    assert run["ended_at"] is not None
    assert not await database.write(bulk.stop, run_id, Stamp("operator:ada", now()))


async def test_what_waits_for_another_try_is_left_too(database: Database) -> None:
    run_id = await begin(database, await seen(database, "invoiced", "invoiced"))
    before, after = await claimed(database), await claimed(database)
    await database.write(bulk.postpone, before, "no answer", now())
    await database.write(bulk.stop, run_id, Stamp(OLLE, now()))
    await database.write(bulk.postpone, after, "no answer", now())
    await database.write(bulk.finish, now())
    assert [row["state"] for row in await items(database)] == ["left", "left"]
    assert (await run_of(database, run_id))["state"] == "stopped"


async def test_a_run_with_nothing_left_to_do_is_done(database: Database) -> None:
    run_id = await begin(database, await seen(database, "invoiced"))
    await database.write(bulk.finish, now())
    assert (await run_of(database, run_id))["state"] == "running"
    await database.write(bulk.record, await claimed(database), ItemState.REFUSED, "no")
    await database.write(bulk.finish, now())
    assert (await run_of(database, run_id))["state"] == "done"
    assert await database.read(bulk.under_way) == []


async def test_nobody_stops_a_run_that_is_not_there(database: Database) -> None:
    with pytest.raises(RunUnknown, match=re.escape("There is no bulk run x.")):
        await database.write(bulk.stop, "x", Stamp(OLLE, now()))


async def claimed(database: Database) -> Task:
    task = await database.write(bulk.claim, now())
    assert task is not None
    return task
