"""From a stored message to its queued reply, at 100 messages a second with everything on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import bodies
from benchmarks.people import handlers_for, hire
from bot.clock import WallClock
from bot.dispatcher import Dispatcher
from bot.handling import Handling, Wording
from bot.messages import Address, Envelope, Incoming, OutboundMessage, Platform
from connectors.http import Http
from connectors.wecom.client import WecomClient
from storage import admin
from storage.database import Database
from storage.files import FileFolder
from storage.tokens import SharedTokens
from storage.unit_of_work import UnitOfWork

PEOPLE = 300
RATE = 100
SECONDS = 20

_source: ContextVar[str] = ContextVar("source")


class Timed:
    """A database that notes when the transaction of a message has been committed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.done: dict[str, float] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    @contextlib.asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        async with self._database.begin() as tx:
            yield tx
        if (source := _source.get("")) != "":
            self.done[source] = time.perf_counter()


def envelope(number: int, *, people: int = PEOPLE) -> Envelope:
    person = number % people
    now = datetime.now(UTC)
    text = f"刚和客户{person:05d}有限公司王总通了25分钟电话，嫌价格高，下周三再联系"
    body = (
        "<xml><ToUserName><![CDATA[wwbench]]></ToUserName>"
        f"<FromUserName><![CDATA[user{person}]]></FromUserName><CreateTime>{int(now.timestamp())}"
        f"</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content>"
        f"<MsgId>{number}</MsgId><AgentID>1000002</AgentID></xml>"
    )
    to = Address(Platform.WECOM, "sales", user_id=f"user{person}")
    return Envelope("wecom:sales:app", str(number), to.key, now, now, body.encode())


async def run(folder: Path) -> tuple[list[float], float]:
    """Seconds from each message to its reply, the shortest first; processor seconds a message."""
    url = f"sqlite+aiosqlite:///{folder / 'reply.db'}"
    await admin.upgrade(url)
    database = await Database.open(url, synchronous="FULL")
    timed = Timed(database)
    await hire(database, PEOPLE, customers=100_000)
    handlers = await handlers_for(database)
    clock, files = WallClock(), FileFolder(folder / "files")

    async def handle(tx: UnitOfWork, incoming: Incoming) -> Sequence[OutboundMessage]:
        _source.set(incoming.message.message_id)
        return await handlers.handle(tx, incoming)

    client = WecomClient(bodies.WECOM, Http(None), SharedTokens(database), files, clock)  # type: ignore[arg-type]
    dispatcher: Dispatcher[UnitOfWork] = Dispatcher(
        Handling(
            store=timed,  # type: ignore[arg-type]
            connectors={("wecom", "sales"): client},
            files=files,
            handle=handle,
            clock=clock,
            wording=Wording(apology=str),
        ),
    )
    begun: dict[str, float] = {}
    start, worked = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as doors:
        for number in range(RATE * SECONDS):
            await asyncio.sleep(max(0.0, start + number / RATE - time.perf_counter()))
            begun[str(number)] = time.perf_counter()
            doors.create_task(_take(dispatcher, envelope(number)))
    await dispatcher.drained()
    worked = time.process_time() - worked
    await database.close()
    assert len(timed.done) == len(begun), (len(timed.done), len(begun))
    return sorted(timed.done[source] - at for source, at in begun.items()), worked / len(begun)


async def _take(dispatcher: Dispatcher[UnitOfWork], one: Envelope) -> None:
    (await dispatcher.accept(one))()


async def main() -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")) as folder:
        spent, worked = await run(Path(folder))
    p50, p99 = statistics.median(spent), spent[int(len(spent) * 0.99)]
    print(
        f"   message to reply queued at {RATE}/s, 100,000 customers: p50 {p50 * 1000:.0f} ms, "
        f"p99 {p99 * 1000:.0f} ms; {worked * 1000:.1f} ms of processor time a message"
    )
