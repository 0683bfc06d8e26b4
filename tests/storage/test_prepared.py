"""Statements that are compiled once and handed to the driver."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.exc import InvalidRequestError

from storage.cards import ShownCard
from storage.database import Database
from storage.prepared import prepared
from storage.tables import cards
from tests.storage.samples import AT

_OF_CARD = prepared(
    select(cards.c.card_id).where(
        cards.c.card_id == bindparam("key"), cards.c.state == bindparam("state", "open")
    )
)


async def test_a_parameter_without_a_value_is_named(database: Database) -> None:
    async with database.begin() as tx:
        with pytest.raises(InvalidRequestError, match="'key'"):
            await tx.cards._conn.execute(_OF_CARD, {"state": "open"})


async def test_what_is_handed_over_goes_before_what_is_fixed(database: Database) -> None:
    async with database.begin() as tx:
        for name, state in (("one", "open"), ("two", "closed")):
            await tx.cards.put(ShownCard(name, 1, "", "", state, {}, AT))
        ask = tx.cards._conn.scalar
        assert await ask(_OF_CARD, {"key": "one"}) == "one"
        assert await ask(_OF_CARD, {"key": "two"}) is None
        assert await ask(_OF_CARD, {"key": "two", "state": "closed"}) == "two"
