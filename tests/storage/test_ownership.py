"""Two bots on one database would both send."""

from __future__ import annotations

import pytest

from bot.errors import PermanentError
from storage.ownership import sole_owner


async def test_a_database_has_one_owner_at_a_time(database_url: str) -> None:
    async with sole_owner(database_url):
        with pytest.raises(PermanentError, match="another bot serves this database"):
            async with sole_owner(database_url):
                pass
    async with sole_owner(database_url):
        pass


async def test_who_holds_it_may_ask_again(database_url: str) -> None:
    async with sole_owner(database_url) as holds:
        assert await holds()
