"""What the database itself refuses, whatever program talks to it: plain SQL tries to break each rule."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import DBAPIError

from orchestrator import audit
from orchestrator.database import Database, open_database
from orchestrator.identity import new_id, now
from orchestrator.stamp import Stamp
from orchestrator.tables import invoice_attempts, journal, purchases
from tests.fixtures.dashboard import place
from tests.fixtures.shop import stocked

JOURNAL = "The journal only grows: its rows can be neither changed nor deleted"
AUDIT = "The audit only grows: its rows can be neither changed nor deleted"
PURCHASE = "UPDATE purchases SET "
ATTEMPT = "UPDATE invoice_attempts SET "


def furnished(connection: Connection) -> None:
    """One invoiced purchase with its journal and an open invoice, and a row of the audit log."""
    stocked(connection)
    purchase_id = place(connection, "invoiced")
    row = {"id": new_id(), "purchase_id": purchase_id, "number": 1, "state": "open", "reference": "R1"}
    connection.execute(insert(invoice_attempts).values(row | {"version": 0, "sent_at": now()}))
    audit.record(connection, Stamp("eva", now()), "purchase.check", purchase_id)


async def refusal(database: Database, statement: str) -> str:
    """What the database says to a statement."""

    def run(connection: Connection) -> None:
        connection.execute(text(statement))

    with pytest.raises(DBAPIError) as refused:
        await database.write(run)
    return str(refused.value.orig)


def read(connection: Connection, table: str) -> list[object]:
    return list(connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).mappings())


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE journal SET detail = 'nothing happened'", JOURNAL),
        ("UPDATE journal SET at = at", JOURNAL),
        ("DELETE FROM journal", JOURNAL),
        ("DELETE FROM journal WHERE sequence = 2", JOURNAL),
        ("UPDATE audit SET actor = 'nobody'", AUDIT),
        ("DELETE FROM audit", AUDIT),
    ],
)
async def test_journal_and_audit_log_only_grow(database: Database, statement: str, sentence: str) -> None:
    await database.write(furnished)
    table = "journal" if sentence is JOURNAL else "audit"
    before = await database.read(read, table)
    assert sentence in await refusal(database, statement)
    assert await database.read(read, table) == before
    await database.write(place, "paid")  # it still grows


async def test_no_row_of_the_journal_is_replaced(database: Database) -> None:
    await database.write(furnished)
    copy = 'INTO journal (id, purchase_id, sequence, at, "trigger", source, target, actor, detail)'
    same = "SELECT id, purchase_id, sequence, at, \"trigger\", source, target, 'eva', 'else' FROM journal"
    if database.dialect == "sqlite":
        assert JOURNAL in await refusal(database, f"INSERT OR REPLACE {copy} {same}")
        renumbered = same.replace("id, purchase_id", "id + 100, purchase_id", 1)
        assert JOURNAL in await refusal(database, f"INSERT OR REPLACE {copy} {renumbered}")
        assert AUDIT in await refusal(database, "INSERT OR REPLACE INTO audit SELECT * FROM audit")
    else:
        upsert = f"INSERT {copy} {same} ON CONFLICT (id) DO UPDATE SET detail = 'else'"
        assert JOURNAL in await refusal(database, upsert)


@pytest.mark.parametrize("table", ["journal", "audit"])
async def test_nothing_is_truncated(
    make_postgres_database: Callable[[str], str], table: str, postgres_template: str
) -> None:
    database = open_database(make_postgres_database(postgres_template))
    await database.write(furnished)
    assert f"The {table} only grows" in await refusal(database, f"TRUNCATE {table} CASCADE")
    if table == "journal":
        assert JOURNAL in await refusal(database, "TRUNCATE purchases CASCADE")
    replica = "SET LOCAL session_replication_role = replica"

    def quietly(connection: Connection) -> None:
        connection.execute(text(replica))
        connection.execute(text(f"DELETE FROM {table}"))

    with pytest.raises(DBAPIError, match="only grows"):
        await database.write(quietly)
    await database.close()


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE products SET on_hand = -1", "products_on_hand_not_negative"),
        ("UPDATE products SET reserved = -1", "products_reserved_not_negative"),
        ("UPDATE bundle_parts SET quantity = 0", "bundle_parts_quantity_positive"),
        (PURCHASE + "state = 'lost'", "purchases_state"),
        (PURCHASE + "state = 'failed'", "purchases_reason_when_failed"),
        (PURCHASE + "reason = 'expired'", "purchases_reason_when_failed"),
        (PURCHASE + "invoice_reference = NULL", "purchases_reference_when_invoiced"),
        (ATTEMPT + "state = 'paid'", "invoice_attempts_state"),
        (ATTEMPT + "reference = NULL", "invoice_attempts_reference_when_open"),
    ],
)
async def test_a_rule_holds_against_plain_sql(database: Database, statement: str, rule: str) -> None:
    await database.write(furnished)
    assert rule in await refusal(database, statement)


async def test_a_purchase_comes_in_one_of_the_five_states_too(database: Database) -> None:
    await database.write(furnished)
    with pytest.raises(DBAPIError, match="purchases_state"):
        await database.write(ordered, "lost")
    with pytest.raises(DBAPIError, match="journal_target"):
        await database.write(told_of, "lost")


def ordered(connection: Connection, state: str) -> None:
    row = connection.execute(select(purchases)).mappings().one()
    changes = {"id": new_id(), "state": state, "request_key": "new"}
    connection.execute(insert(purchases).values({**row, **changes}))


def told_of(connection: Connection, target: str) -> None:
    purchase_id = place(connection, "received")
    row = {"purchase_id": purchase_id, "sequence": 2, "at": now(), "trigger": "step", "source": "received"}
    connection.execute(insert(journal).values(row | {"target": target, "actor": "eva", "detail": ""}))


async def test_one_unpaid_purchase_of_a_request_and_one_number_for_each_attempt(database: Database) -> None:
    await database.write(furnished)
    again = "INSERT INTO invoice_attempts (id, purchase_id, number, state, version, sent_at) "
    same = "SELECT 'other', purchase_id, number, 'sending', 0, sent_at FROM invoice_attempts"
    assert "invoice_attempts" in await refusal(database, again + same)

    def twin(connection: Connection) -> None:
        place(connection, "invoiced", request_key="the same")
        place(connection, "received", request_key="the same")

    with pytest.raises(DBAPIError, match=r"purchases_open_request|purchases\.request_key"):
        await database.write(twin)
