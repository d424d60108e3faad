"""erased customers: when a purchase's customer was blanked, and which purchases have it still to come"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KEPT = sa.text("customer_erased_at IS NULL AND attention IS NULL AND state IN ('stocked', 'failed')")


def upgrade() -> None:
    op.add_column("purchases", sa.Column("customer_erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "purchases_to_erase",
        "purchases",
        ["updated_at"],
        unique=False,
        sqlite_where=_KEPT,
        postgresql_where=_KEPT,
    )


def downgrade() -> None:
    """What was blanked stays blank."""
    op.drop_index("purchases_to_erase", "purchases", sqlite_where=_KEPT, postgresql_where=_KEPT)
    with op.batch_alter_table("purchases", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("customer_erased_at")
