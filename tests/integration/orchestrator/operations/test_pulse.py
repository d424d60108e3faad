"""The pulse: processes say how they are, and those that live are added up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, func, insert, select, update

from orchestrator import pulse
from orchestrator.calls import CallBook, Calls
from orchestrator.database import Database
from orchestrator.identity import new_id
from orchestrator.latency import Latency
from orchestrator.pulse import Reporter, SeqrHealth, Sources
from orchestrator.scheduler import Job
from orchestrator.seqr.messages import Exchange, Verdict
from orchestrator.tables import invoice_attempts, process_reports
from tests.fixtures.desk import Clock
from tests.fixtures.operations import NoDatabase, keep_purchase

PASSWORD = "hunter2-hunter2"


async def nothing() -> None:
    """What the jobs here do."""


def hide(text: str) -> str:
    return text.replace(PASSWORD, "***")


def call(
    at: datetime, milliseconds: float, verdict: Verdict = Verdict.ANSWERED, code: int | None = 0
) -> Exchange:
    return Exchange("getPaymentStatus", at, milliseconds, verdict, code, f"Told {PASSWORD}.", "<a/>", "<b/>")


def reporter(database: Database, clock: Clock, *calls: Exchange, viewers: int = 0) -> Reporter:
    book = CallBook()
    for each in calls:
        book.observe(each)
    job = Job("mail", nothing, 1.0)
    job.begin()
    job.end(f"No mail for {PASSWORD}.", 0.25)
    return Reporter(database, Sources([job], book, lambda: viewers), hide, clock)


def reports(connection: Connection, /) -> int:
    return connection.execute(select(func.count()).select_from(process_reports)).scalar_one()


def spoil(connection: Connection, /) -> None:
    connection.execute(update(process_reports).values(report='{"jobs": "of the future"}'))


def open_invoices(connection: Connection, /, at: datetime, number: int) -> None:
    for seconds in range(number):
        asked_at = at - timedelta(seconds=seconds + 1)
        purchase_id = keep_purchase(connection, at, next_check_at=at, asked_at=asked_at)
        row = {
            "id": new_id(),
            "purchase_id": purchase_id,
            "number": 1,
            "state": "open",
            "version": 0,
            "reference": "R1",
        }
        connection.execute(insert(invoice_attempts).values(**row, sent_at=at, issued_at=at))


async def test_a_process_says_how_its_jobs_and_calls_go(database: Database) -> None:
    clock = Clock()
    one = reporter(database, clock, call(clock(), 40), call(clock(), 40, Verdict.BUSY, 93), viewers=2)
    await one.run_once()
    found = await database.read(pulse.read, clock.turn(3))
    (process,) = found.processes
    assert (process.id, process.seen_at) == (one.id, clock() - timedelta(seconds=3))
    (job,) = process.report.jobs
    assert (job.name, job.every, job.runs, job.took, job.error) == ("mail", 1.0, 1, 0.25, "No mail for ***.")
    assert (job.failed_at, job.failed_with) == (job.ended_at, "No mail for ***.")
    (calls,) = process.report.calls
    assert (calls.number, calls.failed, calls.failed_with) == (2, 1, "Told ***.")
    assert (found.viewers, found.seqr.total.number, found.seqr.state) == (2, 2, "troubled")


async def test_the_processes_alive_are_added_up_and_the_dead_are_not(database: Database) -> None:
    clock = Clock()
    dead = reporter(database, clock, *[call(clock(), 5000)] * 50)
    await dead.run_once()
    clock.turn(70)
    slow = reporter(database, clock, *[call(clock(), 1000)] * 10)
    quick = reporter(database, clock, *[call(clock(), 10)] * 190)
    await slow.run_once()
    clock.turn(1)
    await quick.run_once()
    await quick.run_once()
    found = await database.read(pulse.read, clock())
    assert [process.id for process in found.processes] == [slow.id, quick.id]
    (status,) = found.seqr.operations
    assert status.number == found.seqr.total.number == 200
    assert status.median == pytest.approx(10, rel=0.1)
    assert status.latency.percentile(0.99) == pytest.approx(1000, rel=0.1)


async def test_a_process_that_stops_is_gone_at_once_and_one_that_died_after_a_day(database: Database) -> None:
    clock = Clock()
    stopping, killed = reporter(database, clock), reporter(database, clock)
    await stopping.run_once()
    await killed.run_once()
    await stopping.close()
    assert [each.id for each in (await database.read(pulse.read, clock())).processes] == [killed.id]
    assert await database.write(pulse.prune, clock.turn(24 * 3600 - 1)) == 0
    assert await database.write(pulse.prune, clock.turn(2)) == 1
    assert await database.read(reports) == 0


async def test_where_the_database_is_gone_a_process_stops_all_the_same() -> None:
    await reporter(NoDatabase(), Clock()).close()


async def test_what_another_version_says_is_passed_over(database: Database) -> None:
    clock = Clock()
    await reporter(database, clock, call(clock(), 40)).run_once()
    await database.write(spoil)
    found = await database.read(pulse.read, clock())
    assert (len(found.processes), found.processes[0].report.jobs, found.seqr.state) == (1, (), "silent")


async def test_the_distance_to_the_deadline(database: Database) -> None:
    clock = Clock()
    assert (await database.read(pulse.read, clock())).to_deadline == 20
    await database.write(open_invoices, clock(), 5)
    found = await database.read(pulse.read, clock())
    assert (found.open_invoices, found.longest_unasked, found.to_deadline) == (5, 5.0, 15.0)


AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("verdicts", "succeeded", "failed", "state"),
    [
        ([], None, None, "silent"),
        ([Verdict.ANSWERED], 0, None, "well"),
        ([Verdict.ANSWERED, Verdict.REFUSED], 0, 30, "troubled"),
        ([*[Verdict.ANSWERED] * 10, Verdict.REFUSED], 0, 30, "well"),
        ([Verdict.REFUSED], None, 30, "troubled"),
        ([Verdict.ANSWERED, Verdict.UNKNOWN], 30, 29, "troubled"),
        ([Verdict.ANSWERED, Verdict.UNKNOWN], 20, 29, "troubled"),
        ([Verdict.ANSWERED, Verdict.BUSY], 0, 30, "down"),
        ([Verdict.BUSY], None, 30, "down"),
    ],
)
def test_seqrs_health_in_a_word(
    verdicts: list[Verdict], succeeded: int | None, failed: int | None, state: str
) -> None:
    book = CallBook()
    for verdict in verdicts:
        book.observe(call(AT, 40, verdict))
    total = book.lately()[0] if verdicts else Calls("", Latency())
    moments = [None if moment is None else AT + timedelta(seconds=moment) for moment in (succeeded, failed)]
    health = SeqrHealth((), replace(total, succeeded_at=moments[0], failed_at=moments[1]))
    assert health.state == state
