"""Three servers with three copies of each message: one of them dies, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmarks.nats_server import NatsServer
from bot.errors import TransientError
from connectors.queue.access import Access
from connectors.queue.inbox import StreamInbox
from storage.database import Database
from tests.connectors.queue.queue_bed import beside, engine, need_server, queue
from tests.engine.parts import envelope

pytestmark = pytest.mark.nats

MESSAGES = 60
PATIENCE_S = 120.0


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[list[NatsServer]]:
    need_server()
    routes = [f"nats://127.0.0.1:{port}" for port in _free_ports(3)]
    made = []
    for number, route in enumerate(routes):
        folder = tmp_path / f"nats{number}"
        folder.mkdir()
        more = (
            f"server_name: nats{number}\n"
            f'cluster {{ name: gendan, listen: "{route.removeprefix("nats://")}", '
            f"routes: [{', '.join(routes)}] }}"
        )
        made.append(NatsServer(folder, more=more))
    await asyncio.gather(*(one.start() for one in made))
    yield made
    for one in made:
        await one.stop(signal.SIGKILL)


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(sqlite_url)
    yield opened
    await opened.close()


async def test_one_of_three_dies_under_way(servers: list[NatsServer], database: Database) -> None:
    access = Access(",".join(one.url for one in servers), replicas=3, max_mb=16)
    async with engine(database) as bot, queue(access, bot.dispatcher.accept) as doors:
        for number in range(MESSAGES):
            if number == MESSAGES // 3:
                await (await _leader(access, servers)).stop(signal.SIGKILL)
            await _sent_until_taken(doors, number)
        async with asyncio.timeout(PATIENCE_S):
            while len(bot.did) < MESSAGES:  # noqa: ASYNC110 - what was done has no event
                await asyncio.sleep(0.05)
        assert bot.did == [str(number) for number in range(MESSAGES)]


async def _sent_until_taken(doors: StreamInbox, number: int) -> None:
    """As a platform does that is told to send again."""
    one = envelope(str(number), number=number, seconds=number)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(TransientError):
                (await doors.accept(one))()
                return
            await asyncio.sleep(0.2)


async def _leader(access: Access, servers: list[NatsServer]) -> NatsServer:
    """Who leads the stream, so that its death is felt."""
    alone = Access(servers[0].url, replicas=3, max_mb=16)
    async with beside(alone) as onlooker:
        told = await onlooker.call(f"STREAM.INFO.{access.stream}")
    return servers[int(told["cluster"]["leader"].removeprefix("nats"))]


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [
            held.enter_context(contextlib.closing(socket.create_server(("127.0.0.1", 0))))
            for _ in range(count)
        ]
        return [one.getsockname()[1] for one in sockets]
