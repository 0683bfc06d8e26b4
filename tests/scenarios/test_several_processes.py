"""Three bots on one PostgreSQL while reps speak, and one after the other dies without a word."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
from pathlib import Path

import aiohttp
import pytest

from benchmarks.nats_server import NatsServer
from benchmarks.several import Several, several
from bot.domain.sharing import HOME
from connectors.queue.access import Access
from tests.connectors.queue.queue_bed import stream
from tests.engine.parts import until

pytestmark = pytest.mark.postgres

KILLED = 2


async def test_one_of_three_goes_on_for_all(empty_postgres_url: str, tmp_path: Path) -> None:
    """The first to die has the clock and the platforms' long connections, which move: the robot's
    may be open once, since another subscription would evict the first."""
    async with several(empty_postgres_url, tmp_path, nodes=3) as company:
        await one_robot_is_up(company)
        async with company.load():
            await company.accepts(more=20)
            for victim in (HOME, "inbox:07"):
                index = await company.index_of(victim)
                node = await company.node_of(index)
                await company.kill(index)
                await company.taken_over_s(node, names=len(company.names))
                await one_robot_is_up(company)
                await company.accepts(more=20)
        await company.drained()
        assert await company.figure("gendan_wecom_aibot_evictions_total") == 0
        await company.stop()
        faults = await company.faults()
        # What was going out when its sender died may go out again: docs/scaling.md.
        assert faults.pop("sent twice") <= KILLED
        assert not any(faults.values()), faults
        assert await company.holders() == {}  # given back by the one that was stopped


@pytest.mark.nats
async def test_what_the_killed_one_had_taken_in_the_others_take_from_the_stream(
    empty_postgres_url: str, nats_url: str, tmp_path: Path
) -> None:
    async with (
        stream(nats_url, max_mb=1024) as queue,
        several(empty_postgres_url, tmp_path, nodes=3, queue=queue) as company,
    ):
        async with company.load():
            await company.accepts(more=20)
            for victim in (HOME, "inbox:07"):
                index = await company.index_of(victim)
                node = await company.node_of(index)
                await company.kill(index)
                await company.taken_over_s(node, names=len(company.names))
                await company.accepts(more=20)
        await company.drained()
        await company.stop()
        faults = await company.faults()
        assert faults.pop("sent twice") <= KILLED
        assert not any(faults.values()), faults


@pytest.mark.nats
async def test_a_restart_of_nats_delays_and_loses_nothing(
    empty_postgres_url: str, own_nats: NatsServer, tmp_path: Path
) -> None:
    """Killed, too: what was acknowledged is in its files. What doors refuse meanwhile is sent
    again by the platform."""
    async with several(
        empty_postgres_url, tmp_path, nodes=2, queue=Access(own_nats.url)
    ) as company:
        async with company.load():
            for how in (signal.SIGTERM, signal.SIGKILL):
                await company.accepts(more=20)
                await own_nats.stop(how)
                refused = company.accepted.refused
                await until(lambda: company.accepted.refused > refused)  # noqa: B023
                assert "queue" in await troubles(company, 503)
                await own_nats.start()
                assert "queue" not in await troubles(company, 200)
            await company.accepts(more=20)
        await company.drained()
        await company.stop()
        faults = await company.faults()
        assert not any(faults.values()), faults


@pytest.mark.nats
async def test_one_process_on_sqlite_has_its_inbox_there_too(
    own_nats: NatsServer, tmp_path: Path
) -> None:
    """Killed with words in the stream, it goes on with them when it is started again."""
    url = f"sqlite:///{tmp_path / 'gendan.db'}"
    async with several(url, tmp_path, nodes=1, queue=Access(own_nats.url)) as company:
        async with aiohttp.ClientSession() as session:
            for number in range(1, 5):
                assert await company.post(session, "rep1", "帮助", number)
        await company.kill(0)
        await company.start(0)
        await until(lambda: handled(tmp_path / "gendan.db") == 4)


def handled(file: Path) -> int:
    with contextlib.closing(sqlite3.connect(file)) as database:
        query = "SELECT count(*) FROM inbox WHERE state = 'done' AND channel = 'wecom:sales:app'"
        return int(database.execute(query).fetchone()[0])


async def troubles(company: Several, status: int) -> dict[str, str]:
    """Of some process, once it is ready or not, as wanted."""
    port = next(iter(company.nodes.values())).port
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                if answer.status == status:
                    found: dict[str, str] = (await answer.json())["troubles"]
                    return found
            await asyncio.sleep(0.1)


async def one_robot_is_up(company: Several) -> None:
    async with asyncio.timeout(60):
        while await company.figure("gendan_wecom_aibot_up") == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert await company.figure("gendan_wecom_aibot_up") == 1
