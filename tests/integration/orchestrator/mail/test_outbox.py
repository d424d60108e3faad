"""The outbox on both databases: one mail a kind and number, claimed by one, settled once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select, update

from orchestrator import outbox
from orchestrator.database import Database
from orchestrator.errors import OrchestratorError
from orchestrator.identity import now
from orchestrator.intent import Changed, Intent
from orchestrator.outbox import LEASE, Letter, Mail, MailUnderWay, MailUnknown, NothingToPay
from orchestrator.stamp import Stamp
from orchestrator.tables import audit, journal
from orchestrator.tables import outbox as rows_of_outbox
from tests.integration.orchestrator.mail.conftest import mails, order, ordered_and_told

LETTER = Letter("Subject", "Text", "<p>HTML</p>")


class Trouble(OrchestratorError):
    """Out of stamps."""

    retryable = True


async def claim_one(database: Database) -> Mail:
    (mail,) = await database.write(outbox.claim, now(), 10)
    return mail


async def test_mails_of_a_kind_are_numbered(database: Database) -> None:
    purchase_id = await database.write(order)
    for kind in ("payment_link", "payment_link", "order_confirmation"):
        await database.write(outbox.enqueue, purchase_id, kind, "a@example.com", now())
    found = await mails(database)
    assert [(row["kind"], row["number"]) for row in found] == [
        ("payment_link", 1),
        ("payment_link", 2),
        ("order_confirmation", 1),
    ]
    assert len({row["message_id"] for row in found}) == 3
    assert await database.read(outbox.depth) == {"queued": 3, "sent": 0, "kept": 0, "failed": 0}


async def test_a_mail_undone_with_its_commit_was_never_there(database: Database) -> None:
    def fail_after_enqueue(connection: Connection) -> None:
        ordered_and_told(connection, "a@example.com")
        raise Trouble

    with pytest.raises(Trouble):
        await database.write(fail_after_enqueue)
    assert await mails(database) == []


async def test_each_mail_is_claimed_by_one_until_its_lease_is_over(database: Database) -> None:
    for _ in range(12):
        await database.write(ordered_and_told, "a@example.com")
    at = now()
    claims = await asyncio.gather(*(database.write(outbox.claim, at, 5) for _ in range(6)))
    ids = [mail.id for claimed in claims for mail in claimed]
    assert len(ids) == len(set(ids))
    rest = await database.write(outbox.claim, at, 50)
    assert len(ids) + len(rest) == 12
    assert await database.write(outbox.claim, at + LEASE - timedelta(seconds=1), 50) == []
    again = await database.write(outbox.claim, at + LEASE, 50)
    assert [mail.attempts for mail in again] == [2] * 12


async def test_a_failure_is_tried_again_later_and_given_up_after_two_days(database: Database) -> None:
    await database.write(ordered_and_told, "a@example.com")
    at = now()
    attempts, spent = 0, timedelta(0)
    while True:
        (mail,) = await database.write(outbox.claim, at + spent, 1)
        await database.write(outbox.record_failure, mail, None, Trouble(), at + spent)
        attempts += 1
        (row,) = await mails(database)
        assert row["last_error"] == "Out of stamps."
        if row["state"] == "failed":
            break
        assert await database.write(outbox.claim, row["next_attempt_at"] - timedelta(microseconds=1), 1) == []
        spent = row["next_attempt_at"] - at
    assert row["next_attempt_at"] is None
    assert row["attempts"] == attempts
    assert timedelta(days=1, hours=23) < spent <= timedelta(days=2)


def test_the_wait_doubles_up_to_ten_minutes() -> None:
    waits = [outbox.backoff(attempts) for attempts in range(1, 13)]
    seconds = [wait.total_seconds() for wait in waits if wait is not None]
    assert seconds == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]


async def test_who_lost_the_lease_cannot_undo_what_happened_since(database: Database) -> None:
    await database.write(ordered_and_told, "a@example.com")
    slow = await claim_one(database)
    (quick,) = await database.write(outbox.claim, now() + LEASE, 1)
    await database.write(outbox.record_kept, [(slow, LETTER)])
    await database.write(outbox.record_sent, slow, LETTER, now())
    (row,) = await mails(database)
    assert (row["state"], row["subject"]) == ("queued", None)
    await database.write(outbox.record_sent, quick, LETTER, now())
    await database.write(outbox.record_failure, slow, None, Trouble(), now())
    await database.write(outbox.record_kept, [(quick, LETTER)])
    (row,) = await mails(database)
    assert (row["state"], row["last_error"]) == ("sent", None)


@pytest.mark.parametrize("end", ["sent", "kept", "failed"])
async def test_what_ended_can_be_sent_again(database: Database, end: str) -> None:
    await database.write(ordered_and_told, "a@example.com")
    mail = await claim_one(database)
    match end:
        case "sent":
            await database.write(outbox.record_sent, mail, LETTER, now())
        case "kept":
            await database.write(outbox.record_kept, [(mail, LETTER)])
        case _:
            await database.write(outbox.record_failure, mail, LETTER, OrchestratorError("No."), now())
    (before,) = await mails(database)
    assert (before["state"], before["subject"]) == (end, "Subject")
    await database.write(outbox.resend, mail.id, Stamp("operator:eva", now()))
    again = await claim_one(database)
    assert (again.id, again.message_id, again.attempts) == (mail.id, mail.message_id, 1)


async def test_what_waits_or_is_unknown_cannot_be_sent_again(database: Database) -> None:
    await database.write(ordered_and_told, "a@example.com")
    (row,) = await mails(database)
    with pytest.raises(MailUnderWay, match="already waiting"):
        await database.write(outbox.resend, row["id"], Stamp("operator:eva", now()))
    with pytest.raises(MailUnknown, match="no mail nonsense"):
        await database.write(outbox.resend, "nonsense", Stamp("operator:eva", now()))


async def test_sending_again_is_written_down_with_the_purchase_and_in_the_audit_log(
    database: Database,
) -> None:
    await database.write(ordered_and_told, "a@example.com")
    mail = await claim_one(database)
    await database.write(outbox.record_sent, mail, LETTER, now())
    with pytest.raises(Changed):
        await database.write(outbox.resend, mail.id, Stamp("operator:eva", now()), Intent(seen=7))
    at_home = Intent(address="192.0.2.7")
    await database.write(outbox.resend, mail.id, Stamp("operator:eva", now()), at_home)
    entries, told = await database.read(_written)
    assert entries == [("mail.resend", mail.id, "operator:eva", "", "192.0.2.7")]
    assert told[-1] == ("mail_resent", "operator:eva", "Sent again to the customer.")


def _written(connection: Connection) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    entry, row = audit.c, journal.c
    entries = select(entry.action, entry.subject, entry.actor, entry.detail, entry.address)
    told = select(row.trigger, row.actor, row.detail).order_by(row.sequence)
    return (
        [tuple(found) for found in connection.execute(entries)],
        [tuple(found) for found in connection.execute(told)],
    )


async def test_a_pay_link_is_not_sent_again_when_there_is_nothing_to_pay(database: Database) -> None:
    await database.write(ordered_and_told, "a@example.com")
    mail = await claim_one(database)
    await database.write(outbox.record_sent, mail, LETTER, now())
    await database.write(_make_pay_link, mail.id)
    with pytest.raises(NothingToPay, match="no open invoice"):
        await database.write(outbox.resend, mail.id, Stamp("operator:eva", now()))


def _make_pay_link(connection: Connection, mail_id: str) -> None:
    c = rows_of_outbox.c
    connection.execute(update(rows_of_outbox).where(c.id == mail_id).values(kind="payment_link"))
