"""The outbox on a bad day: a platform that hangs, a stop while sending, a locked database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import pytest

import bot.outbox
import bot.tasks
from bot.clock import FixedClock
from bot.errors import AuthFailed, BotError, RateLimited, Rejected, Unavailable
from bot.messages import Address, Content, OutboundMessage, Platform, Receipt, Text
from bot.outbox import MAX_ATTEMPTS, Outbox
from bot.ports import Trouble
from bot.tasks import cancel_all
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.engine.parts import START, Peer, until


class Gate(Peer):
    """A platform that answers once `open` is set, whatever it then answers."""

    def __init__(self, platform: str, *failures: BotError) -> None:
        super().__init__(platform=platform, failures=list(failures))
        self.open = asyncio.Event()
        self.asked = asyncio.Event()

    async def send(self, to: Address, content: Content, *, dedupe_key: str) -> Receipt:
        self.asked.set()
        await self.open.wait()
        return await super().send(to, content, dedupe_key=dedupe_key)


class Shaky:
    """A database that fails the transactions whose numbers stand in `failing`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.failing: set[int] = set()
        self.begun = 0
        self.append = database.append
        self.unfinished = database.unfinished
        self.pending = database.pending

    @property
    def is_failing(self) -> bool:
        return self.begun < max(self.failing)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        self.begun += 1
        if self.begun in self.failing:
            raise OSError("database is locked")
        async with self._database.begin() as tx:
            yield tx


class Bench:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = Shaky(database)
        self.clock = FixedClock(START)
        self.wecom = Gate("wecom")
        self.dingtalk = Gate("dingtalk")
        self.told: list[str] = []
        self.outbox = Outbox(
            store=self.store,
            connectors={("wecom", "sales"): self.wecom, ("dingtalk", "sales"): self.dingtalk},
            clock=self.clock,
            on_trouble=self._on_trouble,
        )

    async def _on_trouble(
        self, tx: UnitOfWork, trouble: Trouble, at: datetime
    ) -> Sequence[OutboundMessage]:
        self.told.append(trouble.reason)
        if trouble.reason == "a note that fails":
            raise RuntimeError("bug")
        return []

    async def queue(self, platform: Platform, *texts: str, to: str = "li4") -> None:
        address = Address(platform, "sales", user_id=to)
        messages = [
            OutboundMessage(f"{platform}:{to}:{text}", address, Text(text)) for text in texts
        ]
        async with self.database.begin() as tx:
            await tx.delivery.queue(messages, at=self.clock.at)

    async def still_queued(self) -> int:
        async with self.database.read() as tx:
            return (await tx.delivery.counts())["outbox"]


@pytest.fixture
def bench(database: Database, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(bot.outbox, "NOTE_PAUSES_S", (0.01,) * 6)
    monkeypatch.setattr(bot.outbox, "IDLE_S", 0.01)
    return Bench(database)


@asynccontextmanager
async def running(outbox: Outbox[UnitOfWork]) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(outbox.run())
    try:
        async with asyncio.timeout(20):
            yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_platform_that_hangs_holds_up_no_other(bench: Bench) -> None:
    for n in range(bot.outbox.BATCH + 10):
        await bench.queue(Platform.WECOM, "slow", to=f"person{n}")
    await bench.queue(Platform.DINGTALK, "1", "2")
    bench.dingtalk.open.set()
    async with running(bench.outbox):
        await until(lambda: len(bench.dingtalk.sent) == 2)
        assert bench.wecom.sent == []
        bench.wecom.open.set()
    assert bench.dingtalk.sent == [("li4", "1"), ("li4", "2")]


async def test_a_stop_while_sending_does_not_send_again_after_the_restart(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform takes so long that the stop is asked for again and again."""
    monkeypatch.setattr(bot.tasks, "ASK_AGAIN_S", 0.01)
    await bench.queue(Platform.WECOM, "x")
    async with running(bench.outbox) as task:
        await bench.wecom.asked.wait()
        stop = asyncio.create_task(cancel_all([task]))
        await asyncio.sleep(0.1)
        assert not stop.done()
        bench.wecom.open.set()
        await stop
    assert bench.wecom.sent == [("li4", "x")]
    assert await bench.still_queued() == 0


async def test_who_waits_no_longer_for_the_queue_stops_no_message(bench: Bench) -> None:
    await bench.queue(Platform.WECOM, "x")
    waiting = asyncio.create_task(bench.outbox.drain())
    await bench.wecom.asked.wait()
    waiting.cancel()
    bench.wecom.open.set()
    await bench.outbox.drain()
    assert bench.wecom.sent == [("li4", "x")]


async def test_what_was_sent_while_the_database_was_locked_is_sent_once(bench: Bench) -> None:
    await bench.queue(Platform.WECOM, "x")
    async with running(bench.outbox):
        await bench.wecom.asked.wait()
        bench.store.failing = {bench.store.begun + n for n in range(1, 6)}
        bench.wecom.open.set()
        await until(lambda: bench.wecom.sent and not bench.store.is_failing)
    assert bench.wecom.sent == [("li4", "x")]
    assert await bench.still_queued() == 0


async def test_a_locked_database_does_not_end_the_sender(bench: Bench) -> None:
    bench.store.failing = {1, 2, 4, 6}
    bench.wecom.open.set()
    async with running(bench.outbox):
        await until(lambda: bench.store.begun >= 8)
        await bench.queue(Platform.WECOM, "x")
        bench.outbox.wake()
        await until(lambda: bench.wecom.sent)
    assert bench.wecom.sent == [("li4", "x")]


async def test_patience_asked_for_often_leaves_all_attempts_but_one(bench: Bench) -> None:
    slowed = [RateLimited("slow", retry_after_s=60)] * (MAX_ATTEMPTS * 2)
    bench.wecom.failures = [*slowed, Unavailable("502"), Unavailable("502")]
    bench.wecom.open.set()
    await bench.queue(Platform.WECOM, "first")
    for n in range(MAX_ATTEMPTS * 2 + 3):
        await bench.outbox.drain()
        await bench.queue(Platform.WECOM, f"later {n}")
        bench.clock.at += timedelta(seconds=61)
    await bench.outbox.drain()
    assert [text for _, text in bench.wecom.sent][:2] == ["first", "later 0"]
    assert bench.told == []


async def test_a_note_to_the_operator_that_fails_repeats_no_message(bench: Bench) -> None:
    bench.wecom.failures = [Rejected("a note that fails")]
    bench.wecom.open.set()
    await bench.queue(Platform.WECOM, "refused", to="first")
    await bench.queue(Platform.WECOM, "taken", to="second")
    await bench.outbox.drain()
    await bench.outbox.drain()
    assert bench.wecom.sent == [("second", "taken")]
    assert bench.told == ["a note that fails"]
    assert await bench.still_queued() == 0


async def test_an_application_that_is_gone_is_given_up_and_told(bench: Bench) -> None:
    address = Address(Platform.WECOM, "closed", user_id="li4")
    async with bench.database.begin() as tx:
        await tx.delivery.queue([OutboundMessage("k", address, Text("x"))], at=START)
    await bench.outbox.drain()
    assert bench.told == ["no application wecom:closed"]


async def test_what_an_operator_can_mend_is_told_at_once_and_sent_when_it_is_mended(
    bench: Bench,
) -> None:
    bench.wecom.failures = [AuthFailed("add 1.2.3.4 to the allow list")] * 5
    bench.wecom.open.set()
    await bench.queue(Platform.WECOM, "x")
    await bench.outbox.drain()
    assert bench.told == ["AuthFailed: add 1.2.3.4 to the allow list"]
    for _ in range(6):
        bench.clock.at += timedelta(minutes=6)
        await bench.outbox.drain()
    assert bench.wecom.sent == [("li4", "x")]


async def test_once_a_platform_is_back_nobody_waits_for_their_next_try(bench: Bench) -> None:
    bench.wecom.failures = [Unavailable("502")] * 20
    bench.wecom.open.set()
    await bench.queue(Platform.WECOM, "old", to="first")
    for _ in range(8):
        await bench.outbox.drain()
        bench.clock.at += timedelta(hours=1)
    bench.wecom.failures = []
    bench.clock.at -= timedelta(minutes=59)  # now the next try of the first is far away
    await bench.queue(Platform.WECOM, "new", to="second")
    await bench.outbox.drain()
    assert sorted(bench.wecom.sent) == [("first", "old"), ("second", "new")]


async def test_dead_letters_can_be_sent_again_unless_they_have_expired(bench: Bench) -> None:
    bench.wecom.failures = [Rejected("81013")] * 2
    bench.wecom.open.set()
    await bench.queue(Platform.WECOM, "x")
    late = OutboundMessage(
        "k", Address(Platform.WECOM, "sales", user_id="other"), Text("late"),
        expires_at=START + timedelta(hours=1),
    )  # fmt: skip
    async with bench.database.begin() as tx:
        await tx.delivery.queue([late], at=START)
    await bench.outbox.drain()
    assert bench.wecom.sent == []
    bench.clock.at += timedelta(hours=2)
    async with bench.database.begin() as tx:
        assert await tx.delivery.send_again(since=None, at=bench.clock.at) == 1
        assert await tx.delivery.send_again(since=None, at=bench.clock.at) == 0
    await bench.outbox.drain()
    assert bench.wecom.sent == [("li4", "x")]


async def test_while_every_platform_is_busy_the_database_is_left_alone(bench: Bench) -> None:
    """A long queue would be read again for each message that joins it."""
    await bench.queue(Platform.WECOM, "1", "2")
    await bench.queue(Platform.DINGTALK, "1")
    async with running(bench.outbox):
        await asyncio.gather(bench.wecom.asked.wait(), bench.dingtalk.asked.wait())
        begun = bench.store.begun
        for _ in range(50):
            bench.outbox.wake()
            await asyncio.sleep(0)
        assert bench.store.begun == begun
        bench.wecom.open.set()
        bench.dingtalk.open.set()
        await until(lambda: len(bench.wecom.sent) == 2)
