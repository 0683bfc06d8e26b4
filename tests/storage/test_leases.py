"""Leases in PostgreSQL: one holder at a time, and a dead one is replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.ports import Fence
from storage.database import Database
from storage.leases import Leases
from tests.storage.samples import AT, envelope

pytestmark = pytest.mark.postgres
NAMES = ("home", *(f"inbox:{number:02}" for number in range(9)))
LONG_S, SHORT_S = 60.0, 0.3


@pytest.fixture
async def books(postgres_url: str) -> AsyncIterator[list[Leases]]:
    """Of three processes."""
    opened = [Leases(postgres_url) for _ in range(3)]
    yield opened
    for one in opened:
        await one.close()


async def test_each_is_held_by_one_however_many_grasp_at_once(books: list[Leases]) -> None:
    for _ in range(4):
        held = await asyncio.gather(
            *(
                book.beat(f"node {number}", NAMES, lease_s=LONG_S)
                for number, book in enumerate(books)
            )
        )
        names = [name for terms in held for name in terms]
        assert len(names) == len(set(names))
    assert sorted(names) == sorted(NAMES)
    assert all(held)


async def test_nobody_takes_from_the_living(books: list[Leases]) -> None:
    first = await books[0].beat("a", ["home"], lease_s=LONG_S)
    assert await books[1].beat("b", ["home"], lease_s=LONG_S) == {}
    assert await books[0].beat("a", ["home"], lease_s=LONG_S) == first


async def test_whose_time_ran_out_is_replaced_under_another_term(books: list[Leases]) -> None:
    first = await books[0].beat("a", ["home"], lease_s=SHORT_S)
    await asyncio.sleep(2 * SHORT_S)
    second = await books[1].beat("b", ["home"], lease_s=LONG_S)
    assert second["home"] > first["home"]
    assert await books[0].beat("a", ["home"], lease_s=LONG_S) == {}


async def test_what_is_given_back_is_free_at_once(books: list[Leases]) -> None:
    await books[0].beat("a", NAMES, lease_s=LONG_S)
    await books[0].leave("a")
    assert (await books[1].beat("b", NAMES, lease_s=LONG_S)).keys() == set(NAMES)


async def test_the_end_of_work_is_refused_once_another_has_taken_over(
    postgres_url: str, books: list[Leases]
) -> None:
    """The process stood still between reading and committing."""
    database = await Database.open(postgres_url)
    try:
        stored = await database.append(envelope())
        assert stored is not None
        terms = await books[0].beat("a", ["home"], lease_s=SHORT_S)
        await asyncio.sleep(2 * SHORT_S)
        newer = await books[1].beat("b", ["home"], lease_s=LONG_S)
        async with database.begin() as tx:
            late = Fence("home", terms["home"])
            assert not await tx.delivery.finish(stored, at=AT, fence=late)
        async with database.begin() as tx:
            assert await tx.delivery.finish(stored, at=AT, fence=Fence("home", newer["home"]))
    finally:
        await database.close()
