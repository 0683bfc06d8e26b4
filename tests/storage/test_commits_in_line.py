"""Those who stand in line on SQLite are committed together. What becomes of the others when one
of them, or the commit of them all, is refused.

A trigger in the file does the refusing, each in the way of a fault that a disk or a bug would
cause: of a statement, of the whole transaction (as when the disk is full), at the commit.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from storage.database import Database
from tests.storage.samples import AT, envelope

IN_LINE = 5
WRONG = 2
STATEMENT = "SELECT RAISE(ABORT, 'refused')"
EVERYTHING = "SELECT RAISE(ROLLBACK, 'the disk is full')"
COMMIT = "INSERT INTO owed VALUES (0)"


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    database = await Database.open(sqlite_url)
    yield database
    await database.close()


def refuse(file: Path, what: str) -> None:
    """The word "wrong" can be written no more."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(f"""
            CREATE TABLE owed (id INTEGER REFERENCES accounts (id) DEFERRABLE INITIALLY DEFERRED);
            CREATE TRIGGER refusing AFTER INSERT ON settings WHEN new.value = '"wrong"'
            BEGIN {what}; END;
        """)


class Line:
    """Several transactions that come at the same moment, of which one writes the wrong word.
    told: of which it was said that they are durable."""

    def __init__(self, database: Database) -> None:
        self.told: list[int] = []
        self._database = database

    async def come(self) -> list[bool]:
        """Whether each one's own `begin` ended well; a refusal raises nothing else."""
        comings = (self._write(number) for number in range(IN_LINE))
        ended = await asyncio.gather(*comings, return_exceptions=True)
        assert all(one is None or isinstance(one, DBAPIError) for one in ended), ended
        return [one is None for one in ended]

    async def stored(self) -> list[bool]:
        async with self._database.read() as tx:
            return [await tx.settings.get(f"word{n}") is not None for n in range(IN_LINE)]

    async def _write(self, number: int) -> None:
        async with self._database.begin() as tx:
            tx.once_committed(lambda: self.told.append(number))
            await tx.settings.put(f"before{number}", "right", AT)
            await asyncio.sleep(0)
            await tx.settings.put(f"word{number}", "wrong" if number == WRONG else "right", AT)


@pytest.fixture
def line(database: Database) -> Line:
    return Line(database)


async def test_of_one_that_the_database_refuses_nothing_is_left_and_the_others_are_stored(
    database: Database, line: Line, tmp_path: Path
) -> None:
    refuse(tmp_path / "gendan.db", STATEMENT)
    assert await line.come() == [True, True, False, True, True]
    assert await line.stored() == [True, True, False, True, True]
    assert sorted(line.told) == [0, 1, 3, 4]
    async with database.read() as tx:
        assert await tx.settings.get(f"before{WRONG}") is None


async def test_when_the_commit_is_refused_none_is_stored_and_each_is_told(
    database: Database, line: Line, tmp_path: Path
) -> None:
    refuse(tmp_path / "gendan.db", COMMIT)
    assert await line.come() == [False] * IN_LINE
    assert await line.stored() == [False] * IN_LINE
    assert line.told == []


async def test_when_sqlite_undoes_everything_by_itself_those_before_are_told_too(
    database: Database, line: Line, tmp_path: Path
) -> None:
    """Whoever comes after is stored: that is a transaction of its own."""
    refuse(tmp_path / "gendan.db", EVERYTHING)
    assert await line.come() == [False, False, False, True, True]
    assert await line.stored() == [False, False, False, True, True]
    assert sorted(line.told) == [3, 4]


@pytest.mark.parametrize("what", [STATEMENT, EVERYTHING, COMMIT])
async def test_a_door_beside_them_keeps_its_delivery_and_so_does_the_next(
    database: Database, line: Line, tmp_path: Path, what: str
) -> None:
    refuse(tmp_path / "gendan.db", what)
    _, stored = await asyncio.gather(line.come(), database.append(envelope(delivery_id="d1")))
    assert stored is not None
    assert await database.pending(stored) is not None
    async with database.begin() as tx:
        await tx.settings.put("after", "right", AT)
    async with database.read() as tx:
        assert await tx.settings.get("after") == "right"
