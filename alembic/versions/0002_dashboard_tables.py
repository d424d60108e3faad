"""dashboard tables"""

import sqlalchemy as sa
from alembic import op

from orchestrator import search

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_tables()
    _widen_tables()
    search.fill(op.get_bind())


def _create_tables() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("audit_by_time", ["at", "id"], unique=False)
        batch_op.create_index("audit_of_action", ["action", "at", "id"], unique=False)
        batch_op.create_index("audit_of_actor", ["actor", "at", "id"], unique=False)
        batch_op.create_index("audit_of_subject", ["subject", "at", "id"], unique=False)

    op.create_table(
        "bulk_runs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("selection", sa.String(length=2000), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("bulk_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bulk_runs_state"), ["state"], unique=False)

    op.create_table(
        "process_reports",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("process_reports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_process_reports_seen_at"), ["seen_at"], unique=False)

    op.create_table(
        "sign_in_failures",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("sign_in_failures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_failures_at"), ["at"], unique=False)
        batch_op.create_index("sign_in_failures_of_address", ["address", "at"], unique=False)
        batch_op.create_index("sign_in_failures_of_name", ["name", "at"], unique=False)

    op.create_table(
        "tallies",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "state", "currency"),
    )
    op.create_table(
        "tally_progress",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("missing", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO tally_progress (id, last, missing) VALUES (1, 0, '{}')")
    op.create_table(
        "tally_totals",
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("state", "currency"),
    )
    op.create_table(
        "bulk_items",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("purchase_id", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["purchase_id"],
            ["purchases.id"],
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["bulk_runs.id"],
        ),
        sa.PrimaryKeyConstraint("run_id", "purchase_id"),
    )
    with op.batch_alter_table("bulk_items", schema=None) as batch_op:
        batch_op.create_index("bulk_items_by_state", ["state", "run_id", "purchase_id"], unique=False)

    op.create_table(
        "search_terms",
        sa.Column(
            "term",
            sa.String(length=254).with_variant(sa.String(length=254, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("purchase_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("term", "purchase_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_hash"),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_user_id"), ["user_id"], unique=False)


def _widen_tables() -> None:
    """In place: SQLite would make a table anew, but cannot drop one whose rows others refer to."""
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.create_index(
            "journal_payments",
            ["at"],
            unique=False,
            sqlite_where=sa.text("target = 'paid' AND source <> 'paid'"),
            postgresql_where=sa.text("target = 'paid' AND source <> 'paid'"),
        )

    with op.batch_alter_table("products", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False))

    with op.batch_alter_table("purchases", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False))
        batch_op.create_index("purchases_by_amount", ["amount", "id", "state", "reason"], unique=False)
        batch_op.create_index(
            "purchases_asked",
            ["asked_at"],
            unique=False,
            sqlite_where=sa.text("next_check_at IS NOT NULL"),
            postgresql_where=sa.text("next_check_at IS NOT NULL"),
        )
        batch_op.create_index(
            "purchases_by_reason",
            ["reason", "id", "state", "amount"],
            unique=False,
            sqlite_where=sa.text("reason IS NOT NULL"),
            postgresql_where=sa.text("reason IS NOT NULL"),
        )
        batch_op.create_index("purchases_of_product", ["purchase_token", "id"], unique=False)

    with op.batch_alter_table("users", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("language", sa.String(length=8), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("users", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("language")

    with op.batch_alter_table("purchases", schema=None, recreate="never") as batch_op:
        batch_op.drop_index("purchases_of_product")
        batch_op.drop_index(
            "purchases_by_reason",
            sqlite_where=sa.text("reason IS NOT NULL"),
            postgresql_where=sa.text("reason IS NOT NULL"),
        )
        batch_op.drop_index("purchases_by_amount")
        batch_op.drop_index(
            "purchases_asked",
            sqlite_where=sa.text("next_check_at IS NOT NULL"),
            postgresql_where=sa.text("next_check_at IS NOT NULL"),
        )
        batch_op.drop_column("search_text")

    with op.batch_alter_table("products", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("revision")

    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.drop_index(
            "journal_payments",
            sqlite_where=sa.text("target = 'paid' AND source <> 'paid'"),
            postgresql_where=sa.text("target = 'paid' AND source <> 'paid'"),
        )

    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_user_id"))

    op.drop_table("sessions")
    op.drop_table("search_terms")
    with op.batch_alter_table("bulk_items", schema=None) as batch_op:
        batch_op.drop_index("bulk_items_by_state")

    op.drop_table("bulk_items")
    op.drop_table("tally_totals")
    op.drop_table("tally_progress")
    op.drop_table("tallies")
    with op.batch_alter_table("sign_in_failures", schema=None) as batch_op:
        batch_op.drop_index("sign_in_failures_of_name")
        batch_op.drop_index("sign_in_failures_of_address")
        batch_op.drop_index(batch_op.f("ix_sign_in_failures_at"))

    op.drop_table("sign_in_failures")
    with op.batch_alter_table("process_reports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_process_reports_seen_at"))

    op.drop_table("process_reports")
    with op.batch_alter_table("bulk_runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bulk_runs_state"))

    op.drop_table("bulk_runs")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("audit_of_subject")
        batch_op.drop_index("audit_of_actor")
        batch_op.drop_index("audit_of_action")
        batch_op.drop_index("audit_by_time")

    op.drop_table("audit")
