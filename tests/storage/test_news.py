"""What processes tell each other, also after the connection was cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from bot.domain.sharing import Division
from bot.membership import Membership
from storage.leases import Leases
from storage.news import News

pytestmark = pytest.mark.postgres

CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Listener:
    def __init__(self, url: str) -> None:
        self.words: list[str] = []
        self.gaps = 0
        self.news = News(url, heard=self.words.append, on_gap=self._gap)

    def _gap(self) -> None:
        self.gaps += 1

    async def until(self, word: str) -> None:
        async with asyncio.timeout(20):
            while word not in self.words:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.fixture
async def pair(postgres_url: str) -> AsyncIterator[tuple[Listener, Listener]]:
    made = Listener(postgres_url), Listener(postgres_url)
    tasks = [asyncio.create_task(one.news.run()) for one in made]
    for one in made:
        await one.news.listening.wait()
    yield made
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def cut(url: str) -> None:
    conn = await asyncpg.connect(url, timeout=5)
    await conn.execute(CUT)
    await conn.close()


async def test_all_hear_what_one_tells(pair: tuple[Listener, Listener]) -> None:
    one, other = pair
    one.news.tell("hello")
    await one.until("hello")
    await other.until("hello")
    assert (one.gaps, other.gaps) == (0, 0)


async def test_a_cut_connection_is_made_anew_and_told_as_a_gap(
    pair: tuple[Listener, Listener], postgres_url: str
) -> None:
    one, other = pair
    await cut(postgres_url)
    async with asyncio.timeout(20):
        while not other.gaps:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    one.news.tell("again")
    await other.until("again")


async def test_what_was_said_when_the_connection_was_lost_is_told_over_the_next(
    pair: tuple[Listener, Listener], postgres_url: str
) -> None:
    one, _ = pair
    await cut(postgres_url)
    one.news.tell("in between")
    await one.until("in between")
    assert one.gaps == 1


async def test_a_lease_outlives_the_connection_over_which_it_was_taken(postgres_url: str) -> None:
    """An advisory lock would be gone, and its holder would not know."""
    division = Division(senders=frozenset())
    book, other_book = Leases(postgres_url), Leases(postgres_url)
    one, other = Membership("one", division, book), Membership("other", division, other_book)
    await one.join()
    before = one.fence("home")
    await cut(postgres_url)
    await other.join()
    assert before is not None
    assert other.fence("home") is None
    await one.join()
    assert one.fence("home") == before
    await book.close()
    await other_book.close()
