"""A transaction is all or nothing, whatever becomes of the task that opened it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from storage.database import Database
from tests.storage.samples import AT, activity, customer, envelope, member


async def test_a_cancelled_transaction_leaves_nothing_and_blocks_nobody(
    database: Database,
) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        async with database.begin() as tx:
            await tx.settings.put("colour", "red", AT)
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with database.begin() as tx:
        assert await tx.settings.get("colour") is None
    assert await database.append(envelope()) is not None


@pytest.mark.parametrize("rounds", range(6))
async def test_cancelled_at_any_step_the_next_one_works(database: Database, rounds: int) -> None:
    async def write() -> None:
        async with database.begin() as tx:
            await tx.settings.put("colour", "red", AT)

    task = asyncio.create_task(write())
    for _ in range(rounds):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with database.begin() as tx:
        await tx.settings.put("colour", "blue", AT)
    async with database.read() as tx:
        assert await tx.settings.get("colour") == "blue"


async def test_what_the_database_refuses_rolls_everything_back(database: Database) -> None:
    async def point_nowhere() -> None:
        async with database.begin() as tx:
            account = await customer(tx, await member(tx, "zhang3"))
            await tx.activities.add(activity(account, "s1", opportunity_id=10**6))

    with pytest.raises(DBAPIError):
        await point_nowhere()
    async with database.begin() as tx:
        assert await tx.accounts.list_all() == []


async def test_of_several_in_line_only_the_one_that_fails_is_undone(database: Database) -> None:
    async def paint(number: int) -> None:
        async with database.begin() as tx:
            await tx.settings.put(f"colour{number}", "red", AT)
            await asyncio.sleep(0)
            if number == 2:
                raise ZeroDivisionError

    ended = await asyncio.gather(*(paint(n) for n in range(5)), return_exceptions=True)
    assert [type(one) for one in ended if one is not None] == [ZeroDivisionError]
    async with database.read() as tx:
        found = [await tx.settings.get(f"colour{number}") for number in range(5)]
    assert found == ["red", "red", None, "red", "red"]


async def test_whoever_is_told_of_the_end_finds_it_durable(database: Database) -> None:
    """Also beside others in line, and beside a door."""

    async def paint(number: int) -> object:
        async with database.begin() as tx:
            await tx.settings.put(f"colour{number}", "red", AT)
        async with database.read() as tx:
            return await tx.settings.get(f"colour{number}")

    async def ring(number: int) -> object:
        stored = await database.append(envelope(delivery_id=f"d{number}"))
        assert stored is not None
        return "red" if await database.pending(stored) else None

    found = await asyncio.gather(*(do(n) for n in range(6) for do in (paint, ring)))
    assert found == ["red"] * 12


async def test_one_in_line_who_is_cancelled_takes_nobody_along(database: Database) -> None:
    async def paint(number: int) -> None:
        async with database.begin() as tx:
            await tx.settings.put(f"colour{number}", "red", AT)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(paint(number)) for number in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[3].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with database.read() as tx:
        found = [await tx.settings.get(f"colour{number}") for number in range(4)]
    assert found[::2] == ["red", "red"]


async def test_a_reader_sees_one_moment_beside_a_writer(database: Database) -> None:
    async with database.begin() as writing:
        await writing.settings.put("colour", "red", AT)
    async with database.read() as reading:
        assert await reading.settings.get("colour") == "red"
        async with database.begin() as writing:
            await writing.settings.put("colour", "blue", AT)
        assert await reading.settings.get("colour") == "red"


async def test_a_long_transaction_lets_other_tasks_run(database: Database) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    async with database.begin() as tx:
        for number in range(200):
            await tx.settings.put(f"n{number}", number, AT)
    counting.cancel()
    assert turns > 2


async def test_while_another_process_writes_ours_waits_and_the_program_goes_on(
    sqlite_url: str, tmp_path: Path
) -> None:
    database = await Database.open(sqlite_url)
    other = sqlite3.connect(tmp_path / "gendan.db", isolation_level=None)
    with closing(other):
        other.execute("BEGIN IMMEDIATE")
        door = asyncio.create_task(database.append(envelope()))
        done, _ = await asyncio.wait([door], timeout=0.05)
        assert not done
        async with database.read() as tx:
            assert await tx.settings.get("colour") is None
        other.execute("COMMIT")
        assert await door is not None
    await database.close()
