"""Alembic's entry: migrates the database whose connection ``orchestrator.migration`` hands over.

Run by hand (``alembic revision --autogenerate``) it uses ORCHESTRATOR_DATABASE_URL.
"""

from __future__ import annotations

import asyncio
from typing import Literal

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.types import TypeDecorator

from orchestrator import models, settings
from orchestrator.database import open_database


def plain_type(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Migrations name the database's own types, so that they outlive the program's."""
    return f"sa.{item.impl_instance!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=models.METADATA,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=plain_type,
    )
    with context.begin_transaction():
        context.run_migrations()


async def by_hand() -> None:
    database = open_database(settings.load().database)
    await database.write(migrate)
    await database.close()


connection = context.config.attributes.get("connection")
if connection is None:
    asyncio.run(by_hand())
else:
    migrate(connection)
