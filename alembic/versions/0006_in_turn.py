"""in turn: on PostgreSQL, functions that wait for their turn and look then"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# A statement sees what was committed before it began; what stands in such a function sees what was committed
# before it got its turn.
_UNPAID = """
CREATE FUNCTION unpaid_in_turn(phone text, mail text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('unpaid of ' || coalesce(nullif(phone, ''), mail), 0));
    IF phone = '' THEN
        RETURN (SELECT count(*) FROM purchases WHERE state IN ('received', 'invoiced')
                AND customer_msisdn = '' AND customer_email = mail);
    END IF;
    RETURN (SELECT count(*) FROM purchases WHERE state IN ('received', 'invoiced')
            AND customer_msisdn = phone);
END $$
"""
_INVOICED = """
CREATE FUNCTION invoiced_in_turn(invoice text, mine text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('invoice ' || invoice, 0));
    RETURN EXISTS (SELECT 1 FROM invoice_attempts WHERE reference = invoice AND purchase_id <> mine);
END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_UNPAID)
        op.execute(_INVOICED)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION unpaid_in_turn")
        op.execute("DROP FUNCTION invoiced_in_turn")
