"""DingTalk's own SDK against the emulated gateway, and beside it our client: what the emulator
takes from one it takes from the other, so it is not made to measure for ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from bot.messages import Envelope
from connectors.dingtalk.settings import DingtalkApp
from connectors.dingtalk.stream.listening import Stream
from connectors.http import Http
from tests.connectors.sandbox.dingtalk_bed import GROUP, KEY, SECRET, Bed, open_bed

ROOT = Path(__file__).parents[3]

CARD = {
    "cardTemplateId": "gendan-card.schema",
    "outTrackId": "card-1",
    "callbackType": "STREAM",
    "cardData": {
        "cardParamMap": {
            "title": "请确认",
            "revision": "1",
            "buttons": '[{"action": "ok", "label": "确认", "style": "primary"}]',
        }
    },
    "openSpaceId": "dtv1.card//IM_ROBOT.0147001",
    "imRobotOpenSpaceModel": {"supportForward": False},
    "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT"},
}


@dataclass
class Heard:
    """What reached the bot: door and the id of what was said, or the kind of event."""

    pushes: list[tuple[str, str]] = field(default_factory=list)


@contextlib.asynccontextmanager
async def official_sdk(bed: Bed, heard: Heard) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.connectors.sandbox.sdk_listener",
        KEY,
        SECRET,
        cwd=ROOT,
        env={**os.environ, "DINGTALK_OPENAPI_ENDPOINT": bed.base},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    listening = asyncio.create_task(_note_lines(process.stdout, heard))
    try:
        yield
    finally:
        process.kill()
        await process.wait()
        await listening


async def _note_lines(lines: asyncio.StreamReader, heard: Heard) -> None:
    """The SDK's own log comes on the same way."""
    while line := (await lines.readline()).decode():
        door, _, told = line.strip().partition(" ")
        if door in ("robot", "cards", "events"):
            heard.pushes.append((door, told))


@contextlib.asynccontextmanager
async def ours(bed: Bed, heard: Heard) -> AsyncIterator[None]:
    app = DingtalkApp(
        name="sales",
        corp_id="dingcorp01",
        client_id=KEY,
        client_secret=SECRET,
        mode="stream",
        connections=1,
        api_url=bed.base,
        allowed_hosts=("127.0.0.1",),
    )

    async def accept(envelope: Envelope) -> Callable[[], None]:
        body = json.loads(envelope.body)
        told = {"robot": "msgId", "cards": "outTrackId", "events": "EventType"}[envelope.door]
        heard.pushes.append((envelope.door, body[told]))
        return lambda: None

    async with aiohttp.ClientSession() as session:
        stream = Stream(app, Http(session), accept, bed.clock)
        running = asyncio.create_task(stream.run())
        try:
            yield
        finally:
            stream.stop()
            await running


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - the other side is a process
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("connected", [official_sdk, ours])
async def test_messages_presses_events_and_pings_are_understood_and_answered(
    connected: Callable[[Bed, Heard], contextlib.AbstractAsyncContextManager[None]],
) -> None:
    heard = Heard()
    async with open_bed() as bed:
        bed.world.app("dingtalk").mode = "stream"
        stream = bed.emulator.stream
        stream.first_ping_s = stream.ping_s = 0.05
        async with connected(bed, heard):
            await until(lambda: len(stream.connections) == 1)
            (connection,) = stream.connections
            alone = await bed.emulator.say("0147001", None, "你好")
            group = await bed.emulator.say("0147001", GROUP, "@跟单 待办")
            bed.emulator.change_member("0147001", name="王五")
            await bed.drained()
            await bed.new("POST", "v1.0/card/instances/createAndDeliver", CARD)
            await bed.emulator.press(bed.world.said[-1], "0147001", "ok", {})
            await asyncio.sleep(0.3)  # six pings; after two without an echo it would be told to go
            assert not connection.is_leaving
            assert connection.bad_acks == 0
            await until(lambda: len(heard.pushes) >= 4)
    assert sorted(heard.pushes) == sorted(
        [
            ("robot", alone.wire["msgId"]),
            ("robot", group.wire["msgId"]),
            ("events", "user_modify_org"),
            ("cards", "card-1"),
        ]
    )
    assert {one["status"] for one in bed.world.attempts} == {200}
    assert {one["tries"] for one in bed.world.attempts} == {1}


async def test_the_sdk_comes_back_after_goodbye() -> None:
    async with open_bed() as bed:
        bed.world.app("dingtalk").mode = "stream"
        stream = bed.emulator.stream
        async with official_sdk(bed, Heard()):
            await until(lambda: len(stream.connections) == 1)
            (first,) = stream.connections
            stream.disconnect(first, "connection is expired")
            await until(lambda: [one for one in stream.connections if one is not first] != [])
            await until(lambda: first not in stream.connections)
            assert len(stream.connections) == 1
