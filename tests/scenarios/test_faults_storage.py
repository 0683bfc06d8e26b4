"""The process and its disk on a bad day, and a clock that is pushed about."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import signal
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.scenarios.driver import Sandbox, Speaker, at, words

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELP = "像平时说话一样"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sturdy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(Path(tmp_path_factory.mktemp("sturdy")))
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


async def kill_and_start(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rsplit(":", 1)[1])
    await sandbox.stop(signal.SIGKILL)
    await sandbox.start(port)


async def test_a_database_locked_by_somebody_else_delays_and_loses_nothing(
    sturdy: Sandbox,
) -> None:
    rep = Speaker(sturdy, "wecom", "chenjing")
    await rep.look()
    text = {"platform": "wecom", "from": "chenjing", "chat": None, "text": "帮助"}
    with contextlib.closing(sqlite3.connect(sturdy.data / "gendan.db")) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            await sturdy.post("say", **text)
        async with sturdy.http.get("/healthz") as answer:
            assert answer.status == 200, "the lock must not hold up what needs no database"
        await asyncio.sleep(2)
        assert await rep.look() == []
        other.execute("ROLLBACK")
    await sturdy.quiesce()
    assert words(await rep.look()).count(HELP) == 3


async def test_hours_advanced_at_once_add_up(sturdy: Sandbox) -> None:
    before = at(await sturdy.get("world"))
    await asyncio.gather(*(sturdy.post("clock", advance=3600) for _ in range(4)))
    assert at(await sturdy.get("world")) - before >= timedelta(hours=4)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"advance": -1},
        {"advance": "1"},
        {"advance": True},
        {"advance": 1e300},
        {"now": "soon"},
        {"now": "2020-01-01T00:00"},
        {"now": "9999-12-31T00:00"},
        {"advance": 1, "now": "2027-01-01T00:00"},
    ],
)
async def test_silly_jumps_are_refused_with_a_word(
    sturdy: Sandbox, body: dict[str, object]
) -> None:
    async with sturdy.http.post("/sandbox/api/clock", json=body) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]


async def test_messages_said_during_a_jump_are_answered_once(sturdy: Sandbox) -> None:
    rep = Speaker(sturdy, "dingtalk", "wulei01")
    await rep.look()
    text = {"platform": "dingtalk", "from": "wulei01", "chat": None, "text": "帮助"}
    await asyncio.gather(
        sturdy.post("clock", advance=86400), *(sturdy.post("say", **text) for _ in range(8))
    )
    await sturdy.quiesce()
    assert words(await rep.look()).count(HELP) == 8


async def test_killed_in_the_middle_of_a_jump_the_clock_goes_on_and_nothing_is_told_twice(
    sturdy: Sandbox,
) -> None:
    before = at(await sturdy.get("world"))
    jump = asyncio.create_task(sturdy.post("clock", advance=40 * 86400))
    async with asyncio.timeout(30):
        while at(await sturdy.get("world")) < before + timedelta(days=3):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    reached = at(await sturdy.get("world"))
    await kill_and_start(sturdy)
    with pytest.raises(aiohttp.ClientError):
        await jump
    assert at(await sturdy.get("world")) > reached - timedelta(days=1)
    await sturdy.post("clock", advance=5 * 86400)
    told = cards_told(sturdy.data / "gendan.db")
    assert len(told) > 20
    assert len(told) == len(set(told))


def cards_told(file: Path) -> list[tuple[str, str]]:
    """Who was sent a card that says what, over all runs of the sandbox."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        rows = database.execute("SELECT address, content FROM outbox WHERE content LIKE '%灯%'")
        sent = [(address, json.loads(content)) for address, content in rows]
    return [
        (address, f"{card['title']} {card['lines']}")
        for address, card in sent
        if card["type"] == "card"
    ]


async def test_a_folder_that_cannot_be_written_is_told_in_one_line() -> None:
    broken = Sandbox(Path("/proc/gendan"))
    with pytest.raises(AssertionError, match="ended before"):
        await broken.start()


async def test_a_full_disk_makes_unready_until_there_is_room_again(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, "--empty")
    await sandbox.start()
    try:
        _, hard = resource.prlimit(sandbox.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(sandbox.pid, resource.RLIMIT_FSIZE, (4096, hard))
        assert await readiness(sandbox, 503) == ["storage"]
        resource.prlimit(sandbox.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert await readiness(sandbox, 200) == []
    finally:
        await sandbox.stop()


async def readiness(sandbox: Sandbox, status: int) -> list[str]:
    """Wait for the status; the troubles that are told with it."""
    async with asyncio.timeout(20):
        while True:
            async with sandbox.http.get("/readyz") as answer:
                if answer.status == status:
                    return list((await answer.json())["troubles"])
            await asyncio.sleep(0.1)


async def test_a_second_bot_on_the_same_data_does_not_start(sturdy: Sandbox) -> None:
    second = Sandbox(sturdy.data)
    with pytest.raises(AssertionError, match="ended before"):
        await second.start()
    await sturdy.get("world")
