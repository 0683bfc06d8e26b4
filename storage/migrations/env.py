"""Alembic runs this for every command, over the connection that storage/admin.py opened."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from storage.tables import Utc, metadata


def render_item(kind: str, item: object, _: object) -> str | Literal[False]:
    """Migrations are history and must not change with our own types."""
    if kind == "type" and isinstance(item, Utc):
        return "sa.DateTime(timezone=True)"
    return False


def run(connection: Any) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
