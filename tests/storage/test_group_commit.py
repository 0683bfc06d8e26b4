"""How many doors' deliveries go into one commit, where another process does the committing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from bot.messages import Envelope
from storage import group_commit
from storage.database import Database
from storage.group_commit import GroupCommit
from tests.storage.samples import envelope
from tests.virtual_time import virtually

DOORS = 32
TIMES = 6
CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Server:
    """A `storage.writers.Writer` that takes so long over a commit. batches: how many each had;
    beside: how many doors had delivered again by its end."""

    def __init__(self, *, commit_s: float, elsewhere: bool = True) -> None:
        self.turn = nullcontext()
        self.commits_elsewhere = elsewhere
        self.batches: list[int] = []
        self._commit_s = commit_s

    async def append(self, envelopes: Sequence[Envelope]) -> list[int | None]:
        await asyncio.sleep(self._commit_s)
        self.batches.append(len(envelopes))
        return list(range(len(envelopes)))

    async def close(self) -> None: ...


async def come_and_go(server: Server) -> list[int]:
    """Doors that deliver again as soon as they are answered; the sizes of the batches."""
    group = GroupCommit(server)  # type: ignore[arg-type]

    async def door() -> None:
        for _ in range(TIMES):
            await group.append(envelope())

    await asyncio.gather(*(door() for _ in range(DOORS)))
    await group.close()
    assert sum(server.batches) == DOORS * TIMES
    return server.batches


@pytest.fixture(autouse=True)
def one_second_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """To handle a delivery; beside it nothing counts that this machine is slow at."""
    monkeypatch.setattr(group_commit, "HANDLED_S", 1.0)


@virtually
async def test_half_of_the_doors_are_committed_while_the_others_come() -> None:
    first, *others = await come_and_go(Server(commit_s=1.0))
    assert first == DOORS
    assert max(others) <= DOORS // 2


@virtually
async def test_where_a_commit_takes_long_they_come_together() -> None:
    assert await come_and_go(Server(commit_s=100.0)) == [DOORS] * TIMES


@virtually
async def test_where_this_process_commits_they_come_together() -> None:
    assert await come_and_go(Server(commit_s=1.0, elsewhere=False)) == [DOORS] * TIMES


@pytest.mark.postgres
async def test_doors_go_on_after_their_connection_was_cut(postgres_url: str) -> None:
    database = await Database.open(postgres_url)
    assert await database.append(envelope("1")) is not None
    other = await asyncpg.connect(postgres_url, timeout=5)
    await other.execute(CUT)
    await other.close()
    (told,) = await asyncio.gather(database.append(envelope("2")), return_exceptions=True)
    assert isinstance(told, int | DBAPIError | OSError)
    await database.append(envelope("2"))  # as a platform that was not answered does
    found = [pending.envelope.delivery_id for pending in await database.unfinished()]
    assert found == ["1", "2"]
    await database.close()
