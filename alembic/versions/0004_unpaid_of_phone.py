"""unpaid of phone: how many unpaid purchases one customer has is counted by an index"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_UNPAID = sa.text("state IN ('received', 'invoiced')")


def upgrade() -> None:
    op.create_index(
        "purchases_unpaid_of_phone",
        "purchases",
        ["customer_msisdn", "customer_email"],
        unique=False,
        sqlite_where=_UNPAID,
        postgresql_where=_UNPAID,
    )


def downgrade() -> None:
    op.drop_index("purchases_unpaid_of_phone", "purchases", sqlite_where=_UNPAID, postgresql_where=_UNPAID)
