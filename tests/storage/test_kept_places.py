"""How far a table is gone through: one after the other, whoever goes on."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from storage.database import Database
from storage.kept_places import Place
from tests.storage.samples import AT


async def test_of_two_at_once_the_second_goes_on_from_where_the_first_has_come_to(
    database: Database,
) -> None:
    async def go_on() -> None:
        async with database.begin() as tx:
            place = await tx.kept_places.get("words", AT)
            await asyncio.sleep(0.01)  # the others have read it by now, if they could
            after = replace(place, up_to=place.up_to + 10, untold=place.untold + 1)
            await tx.kept_places.put("words", after, AT)

    await asyncio.gather(*(go_on() for _ in range(6)))
    async with database.begin() as tx:
        assert await tx.kept_places.get("words", AT) == Place(up_to=60, untold=6)


async def test_what_was_changed_is_told_once(database: Database) -> None:
    async with database.begin() as tx:
        await tx.kept_places.put("words", Place(7, (3, 5), untold=4), AT)
    for told in ({"words": 4}, {}):
        async with database.begin() as tx:
            assert await tx.kept_places.take_counts(("words", "others"), AT) == told
    async with database.begin() as tx:
        assert await tx.kept_places.get("words", AT) == Place(7, (3, 5))
