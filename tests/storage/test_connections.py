"""As many connections as are of use, and the server must have them."""

from __future__ import annotations

import os

import pytest

from bot.handling import IN_FLIGHT
from storage import connections, engines
from storage.connections import Room
from storage.leases import Leases


def test_a_pool_grows_with_the_cores_up_to_what_a_process_handles_at_a_time() -> None:
    sizes = [engines.pool_size(cores) for cores in (1, 2, 4, 8, 64)]
    assert sizes == [10, 14, 22, 38, 38]
    assert engines.AT_A_TIME == IN_FLIGHT


@pytest.mark.parametrize(("most", "enough"), [(97, True), (96, False)])
def test_room_is_wanted_for_one_process_more_than_run(most: int, enough: bool) -> None:
    room = Room(each=18, processes=3, taken_by_others=25, most=most)
    assert room.wanted == 72
    assert room.is_enough is enough


async def test_sqlite_needs_none(sqlite_url: str) -> None:
    assert await connections.room(sqlite_url) is None


@pytest.mark.postgres
async def test_the_server_is_asked(postgres_url: str) -> None:
    before = await connections.room(postgres_url)
    leases = Leases(postgres_url)
    await leases.beat("node-1", ["home"], lease_s=60)
    after = await connections.room(postgres_url)
    await leases.close()
    assert before is not None
    assert after is not None
    assert before.each == engines.pool_size(os.cpu_count() or 1) + engines.BESIDE_POOL
    assert (before.processes, after.processes) == (0, 1)
    assert before.most > 0
