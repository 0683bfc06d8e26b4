"""What the database complains of is logged, so it must not quote what people said."""

from __future__ import annotations

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from storage.database import Database
from storage.tables import settings_rows
from tests.storage.samples import AT


async def test_an_error_quotes_no_values(database: Database) -> None:
    await _note(database)
    with pytest.raises(SQLAlchemyError) as caught:
        await _note(database)
    assert "王建国" not in str(caught.value)


async def _note(database: Database) -> None:
    row = {"name": "k", "value": "王建国的手机号", "updated_at": AT}
    async with database.begin() as tx:
        await tx.delivery._conn.execute(insert(settings_rows).values(row))
