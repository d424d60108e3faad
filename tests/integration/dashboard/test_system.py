"""The system's page: processes, SEQR, database and mails as they are, for everybody who is signed in."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert, text, update

from dashboard import condition
from dashboard.desk import Desk
from orchestrator.calls import CallBook
from orchestrator.database import Database
from orchestrator.identity import new_id, now
from orchestrator.migration import newest
from orchestrator.pulse import Reporter, Sources
from orchestrator.scheduler import Job
from orchestrator.seqr.messages import Exchange, Verdict
from orchestrator.tables import outbox, process_reports
from tests.fixtures.dashboard import Office
from tests.integration.dashboard.test_stream import listening, until_heard


async def nothing() -> None:
    """What the jobs here do."""


def reporter(database: Database, job: Job, *verdicts: tuple[Verdict, int | None]) -> Reporter:
    book = CallBook()
    for verdict, code in verdicts:
        told = f"SEQR said <{verdict}>."
        book.observe(Exchange("getPaymentStatus", now(), 40, verdict, code, told, "<a/>", "<b/>"))
    return Reporter(database, Sources([job], book, lambda: 3), lambda text: text)


def write_mail(connection: Connection, /, purchase_id: str, kind: str, state: str, age: timedelta) -> None:
    row = {"id": new_id(), "purchase_id": purchase_id, "kind": kind, "number": 1, "state": state}
    about = {"recipient": "anna@example.com", "message_id": new_id(), "created_at": now() - age}
    connection.execute(insert(outbox).values(**row, **about))


def begin_long_ago(connection: Connection, /) -> None:
    """The one process looks as if its job had begun a minute ago and never ended."""
    found = connection.execute(text("SELECT report FROM process_reports")).scalar_one()
    begun = (now() - timedelta(minutes=1)).isoformat()
    report = found.replace('"begun_at":null', f'"begun_at":"{begun}"')
    connection.execute(update(process_reports).values(report=report))


def at_another_migration(connection: Connection, /) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))


def plain(html: str) -> str:
    """The text with single spaces, so that it can be searched."""
    return " ".join(html.split())


async def test_everybody_sees_processes_with_their_jobs(office: Office) -> None:
    job = Job("mail", nothing, 1.0)
    job.begin()
    job.end("The mail server said <no>.", 0.25)
    await reporter(office.database, job, (Verdict.ANSWERED, 0), (Verdict.BUSY, 93)).run_once()
    page = plain(await (await office.signed_in("vera")).get("/system"))
    assert '<h2 id="processes-title">1 process</h2>' in page
    assert "sends the mails that are due" in page
    assert "The mail server said &lt;no&gt;." in page
    assert "250 ms" in page
    assert "3 live pages" in page
    assert "A job fails or hangs" in page
    assert "SYSTEM_BUSY" in page
    assert "SEQR fails or refuses some of the calls." in page
    assert "SEQR said &lt;busy&gt;." in page
    assert "Settings</a>" not in page


async def test_what_is_well_is_said_to_be_well(office: Office) -> None:
    job = Job("reconcile", nothing, 0.25)
    job.begin()
    job.end("It was down.", 0.5)
    job.begin()
    job.end(None, 0.002)
    await reporter(office.database, job, (Verdict.ANSWERED, 0)).run_once()
    page = plain(await (await office.signed_in("ada")).get("/system"))
    assert "All is well." in page
    assert "It was down." in page
    assert f"{newest()}, the newest" in page
    assert ("SQLite 3" in page) is (office.database.dialect == "sqlite")
    assert ("PostgreSQL 1" in page) is (office.database.dialect == "postgresql")
    assert "in use" in page
    assert 'href="/system/settings"' in page


async def test_a_system_where_nothing_runs_says_so(office: Office) -> None:
    page = plain(await (await office.signed_in()).get("/system"))
    assert "No process has said anything for a minute." in page
    assert "not asked in the last 5 minutes" in page


async def test_what_somebody_should_look_into_stands_at_the_top(office: Office) -> None:
    await reporter(office.database, Job("prune", nothing, 1.0), (Verdict.UNKNOWN, None)).run_once()
    await office.database.write(begin_long_ago)
    await office.database.write(at_another_migration)
    purchase_id = await office.purchase("stocked")
    await office.database.write(write_mail, purchase_id, "a", "failed", timedelta(hours=3))
    await office.database.write(write_mail, purchase_id, "b", "queued", timedelta(minutes=20))
    page = plain(await (await office.signed_in()).get("/system"))
    top = page[page.index('class="troubles"') : page.index('id="matters"')]
    for words in (
        "lacks migrations",
        "fails or hangs",
        "SEQR does not answer",
        "could not be sent",
        "wait longer",
    ):
        assert words in top
    assert f"0001 is there, {newest()} is needed" in page
    assert 'href="/mails?state=failed"' in page


async def test_the_page_is_live_and_read_once_for_all(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = list[Desk]()
    look = condition.examine

    async def counted(desk: Desk) -> condition.Condition:
        looks.append(desk)
        return await look(desk)

    every = 0.4
    monkeypatch.setattr(condition, "EVERY", every)
    monkeypatch.setattr(condition, "examine", counted)
    visitor = await office.signed_in("vera")
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(listening(visitor, "/events?page=system&after=0"))
            for _ in range(5)
        ]
        await asyncio.gather(*(until_heard(stream, "condition") for stream in streams))
        assert 1 <= len(looks) <= 2 + (time.monotonic() - began) / every
        await reporter(office.database, Job("tally", nothing, 1.0)).run_once()
        for stream in streams:
            while "counts sales" not in (await until_heard(stream, "condition")).data:
                pass


async def test_where_the_database_is_gone_the_open_page_says_so(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_connection: Connection, _at: object) -> None:
        raise OSError("disk on fire")

    visitor = await sqlite_office.signed_in("vera")
    monkeypatch.setattr(condition, "EVERY", 0.1)
    monkeypatch.setattr(condition, "read_system", fail)
    async with listening(visitor, "/events?page=system&after=0") as stream:
        told = plain((await until_heard(stream, "condition")).data)
    assert "The database does not answer. Until it does" in told
    assert "disk on fire" in told
