"""guarded books: journal and audit log only grow, and states are what they may be"""

from typing import NamedTuple

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


class Rule(NamedTuple):
    """What must hold of every row of a table, told of the columns that it is about."""

    name: str
    table: str
    columns: tuple[str, ...]
    holds: str
    """SQL; ``{row}`` stands before each column."""


_STATES = "('received', 'invoiced', 'paid', 'stocked', 'failed')"
_ATTEMPT_STATES = "('sending', 'open', 'closed', 'refused', 'busy', 'unknown')"

RULES = (
    Rule("purchases_state", "purchases", ("state",), f"{{row}}state IN {_STATES}"),
    Rule(
        "purchases_reason_when_failed",
        "purchases",
        ("state", "reason"),
        "({row}state = 'failed') = ({row}reason IS NOT NULL)",
    ),
    Rule(
        "purchases_reference_when_invoiced",
        "purchases",
        ("state", "invoice_reference"),
        "{row}state <> 'invoiced' OR {row}invoice_reference IS NOT NULL",
    ),
    Rule("invoice_attempts_state", "invoice_attempts", ("state",), f"{{row}}state IN {_ATTEMPT_STATES}"),
    Rule(
        "invoice_attempts_reference_when_open",
        "invoice_attempts",
        ("state", "reference"),
        "{row}state <> 'open' OR {row}reference IS NOT NULL",
    ),
    Rule("journal_target", "journal", ("target",), f"{{row}}target IN {_STATES}"),
)

GROWING = {
    "journal": "EXISTS (SELECT 1 FROM journal WHERE id = NEW.id) OR EXISTS "
    "(SELECT 1 FROM journal WHERE purchase_id = NEW.purchase_id AND sequence = NEW.sequence)",
    "audit": "EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)",
}
"""The tables whose rows are only ever added, and when a new row would take the place of another."""


def upgrade() -> None:
    _take_out_names()
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def downgrade() -> None:
    """The names that were taken out stay out: the purchases have them."""
    if op.get_bind().dialect.name == "sqlite":
        for rule in RULES:
            op.execute(f"DROP TRIGGER {rule.name}_inserted")
            op.execute(f"DROP TRIGGER {rule.name}_updated")
        for table in GROWING:
            for event in ("update", "delete", "replace"):
                op.execute(f"DROP TRIGGER {table}_no_{event}")
    else:
        for rule in RULES:
            op.execute(f"ALTER TABLE {rule.table} DROP CONSTRAINT {rule.name}")
        for table in GROWING:
            op.execute(f"DROP TRIGGER {table}_only_grows ON {table}")
        op.execute("DROP FUNCTION refuse_to_rewrite()")


def _take_out_names() -> None:
    """Customers' names and addresses go out of what can never be changed from now on."""
    op.execute(
        "UPDATE journal SET detail = 'The customer ordered ' || "
        "(SELECT title FROM purchases WHERE purchases.id = journal.purchase_id) || '.' "
        "WHERE source IS NULL AND detail LIKE '% ordered %'"
    )
    op.execute("UPDATE journal SET detail = 'Sent again to the customer.' WHERE \"trigger\" = 'mail_resent'")
    op.execute("UPDATE audit SET detail = '' WHERE action = 'mail.resend'")


def _sentence(table: str) -> str:
    return f"The {table} only grows: its rows can be neither changed nor deleted."


def _guard_sqlite() -> None:
    """SQLite takes no new CHECK without making the table anew, so triggers hold the rules."""
    for rule in RULES:
        broken, said = f"NOT ({rule.holds.format(row='NEW.')})", f"CHECK constraint failed: {rule.name}"
        body = f"FOR EACH ROW WHEN {broken} BEGIN SELECT RAISE(ABORT, '{said}'); END"
        columns = ", ".join(rule.columns)
        op.execute(f"CREATE TRIGGER {rule.name}_inserted BEFORE INSERT ON {rule.table} {body}")
        op.execute(f"CREATE TRIGGER {rule.name}_updated BEFORE UPDATE OF {columns} ON {rule.table} {body}")
    for table, there in GROWING.items():
        body = f"BEGIN SELECT RAISE(ABORT, '{_sentence(table)}'); END"
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {body}")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {body}")
        # INSERT OR REPLACE deletes the row that is in its way without any trigger for DELETE.
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} FOR EACH ROW WHEN {there} {body}"
        )


def _guard_postgresql() -> None:
    for rule in RULES:
        holds = rule.holds.format(row="")
        op.execute(f"ALTER TABLE {rule.table} ADD CONSTRAINT {rule.name} CHECK ({holds})")
    op.execute(
        "CREATE FUNCTION refuse_to_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'The % only grows: its rows can be neither changed nor deleted.', TG_TABLE_NAME "
        "USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table in GROWING:
        op.execute(
            f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite()"
        )
        # Else session_replication_role would pass by.
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_only_grows")
