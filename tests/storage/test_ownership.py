"""Two bots on one SQLite file would both send; on PostgreSQL they start in turn."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import PermanentError
from storage.ownership import sole_owner, turn


async def test_a_file_has_one_owner_at_a_time(sqlite_url: str) -> None:
    async with sole_owner(sqlite_url):
        with pytest.raises(PermanentError, match="another bot serves this database"):
            async with sole_owner(sqlite_url):
                pass
    async with sole_owner(sqlite_url):
        pass


@pytest.mark.postgres
async def test_those_who_start_on_one_database_take_turns(postgres_url: str) -> None:
    seen: list[str] = []

    async def start(name: str) -> None:
        async with turn(postgres_url):
            seen.append(f"{name} in")
            await asyncio.sleep(0.05)
            seen.append(f"{name} out")

    await asyncio.gather(start("one"), start("two"))
    assert [word.split()[1] for word in seen] == ["in", "out", "in", "out"]
