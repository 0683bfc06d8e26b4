"""NATS at the end of a line that is disturbed, while doors give it messages and while they are
taken out: whatever breaks, each of them acts once, in order, and is asked for no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from bot.messages import Envelope
from connectors.queue.access import Access
from connectors.queue.inbox import StreamInbox
from storage.database import Database
from tests.connectors.queue.queue_bed import Engine, beside, engine, queue, stream
from tests.engine.parts import envelope, until
from tests.faults.line import Line, Trouble, line_to

pytestmark = pytest.mark.nats

WORDS = ("one", "two", "three")
MOMENTS = {"given": b"PUB ", "noted as done": b"$JS.ACK"}
CELLS = [(trouble, moment) for moment in MOMENTS for trouble in Trouble]
OUTAGE_S = {Trouble.HANGS: 4.0, Trouble.DRIPS: 4.0}


@dataclass
class Office:
    """direct: a way to the stream that nothing disturbs."""

    line: Line
    doors: StreamInbox
    bot: Engine
    direct: Access
    said: int = 0

    async def say(self, *words: str) -> None:
        for word in words:
            self.said += 1
            sent = envelope(word, number=self.said, seconds=self.said)
            async with asyncio.timeout(60):
                while not await self._deliver(sent):  # noqa: ASYNC110 - as a platform does
                    await asyncio.sleep(0.1)

    async def _deliver(self, sent: Envelope) -> bool:
        with suppress(Exception):
            release = await self.doors.accept(sent)
            release()
            return True
        return False


@pytest.fixture
async def office(nats_url: str, sqlite_url: str) -> AsyncIterator[Office]:
    server = urlsplit(nats_url)
    database = await Database.open(sqlite_url)
    async with (
        line_to(server.hostname or "127.0.0.1", server.port or 4222) as (line, port),
        stream(nats_url) as direct,
        engine(database) as bot,
        queue(
            Access(f"nats://127.0.0.1:{port}", stream=direct.stream, max_mb=16),
            bot.dispatcher.accept,
        ) as doors,
    ):
        yield Office(line, doors, bot, direct)
        line.mend()
    await database.close()


@pytest.mark.parametrize(("trouble", "moment"), CELLS)
async def test_whatever_breaks_each_word_acts_once_and_in_order(
    office: Office, trouble: Trouble, moment: str
) -> None:
    await office.say("zero")
    await until(lambda: office.bot.did)
    office.line.disturb(trouble, upon=MOMENTS[moment])
    saying = asyncio.create_task(office.say(*WORDS))
    await until(lambda: office.line.struck)
    await asyncio.sleep(OUTAGE_S.get(trouble, 0.5))
    office.line.mend()
    async with asyncio.timeout(60):
        await saying
    async with beside(office.direct) as onlooker, asyncio.timeout(60):
        while (await onlooker.state()).messages:  # noqa: ASYNC110 - the stream has no event
            await asyncio.sleep(0.1)
    assert office.bot.did == ["zero", *WORDS]
