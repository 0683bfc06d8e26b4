"""The dispatcher on a bad day: two at once, a stop in the middle, a database that is away."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import select

import storage.inbox
from bot.clock import FixedClock
from bot.dispatcher import Dispatcher
from bot.errors import PermanentError, Unavailable
from bot.fetching import FETCHING
from bot.handling import MAX_ATTEMPTS, Handling, Wording
from bot.messages import Attachment, Envelope, InboundMessage, Incoming, Kind, OutboundMessage
from storage.database import Database
from storage.tables import settings_rows
from storage.unit_of_work import UnitOfWork
from tests.engine.parts import START, Peer, Shelf, envelope, until


class Clumsy(Peer):
    """Reads "crash" with a bug, "voice" as a recording, and hangs on downloads of "file hang"."""

    def __init__(self) -> None:
        super().__init__()
        self.hang = asyncio.Event()

    def parse(self, envelope: Envelope) -> InboundMessage:
        if envelope.body == b"crash":
            raise KeyError("a bug in the parser")
        message = super().parse(envelope)
        if envelope.body == b"voice":
            voice = (Attachment("voice", "m1", "a.amr"),)
            return InboundMessage(
                message.platform, message.app, message.message_id, message.origin,
                message.sender_id, message.sent_at, Kind.VOICE, attachments=voice,
            )  # fmt: skip
        return message

    async def download(self, attachment: Attachment) -> tuple[bytes, str]:
        if not self.hang.is_set() and attachment.kind == "file":
            await self.hang.wait()
        return await super().download(attachment)


class Shaky:
    """A database that fails its next `failures` transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.failures = 0
        self.append = database.append
        self.unfinished = database.unfinished
        self.pending = database.pending

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        if self.failures:
            self.failures -= 1
            raise OSError("database is locked")
        async with self._database.begin() as tx:
            yield tx


class Deaf:
    async def transcribe(self, audio: bytes, *, name: str) -> str:
        raise PermanentError("no such format")


class Slow:
    def __init__(self) -> None:
        self.asked = 0
        self.done = asyncio.Event()

    async def transcribe(self, audio: bytes, *, name: str) -> str:
        self.asked += 1
        await self.done.wait()
        return "听到了"


class Bench:
    """`did` is what took effect, counted in the database's own transactions."""

    def __init__(self, database: Database) -> None:
        self.store = Shaky(database)
        self.database = database
        self.peer = Clumsy()
        self.begun: list[str] = []
        self._numbers = itertools.count()
        self.gate = asyncio.Event()
        self.gate.set()

    def dispatcher(self, **more: Any) -> Dispatcher[UnitOfWork]:
        return Dispatcher(
            Handling(
                store=self.store,
                connectors={("wecom", "sales"): self.peer},
                files=Shelf(),
                handle=self._handle,
                clock=FixedClock(START),
                wording=Wording(apology=str),
                backoff_s=0.01,
                **more,
            ),
        )

    async def _handle(self, tx: UnitOfWork, incoming: Incoming) -> Sequence[OutboundMessage]:
        text = incoming.message.text or str(incoming.message.kind)
        self.begun.append(text)
        await tx.settings.put(f"did {next(self._numbers):04}", text, incoming.at)
        await self.gate.wait()
        return []

    async def did(self) -> list[str]:
        async with self.database.read() as tx:
            rows = await tx.delivery._conn.execute(
                select(settings_rows).order_by(settings_rows.c.name)
            )
            return [row.value for row in rows]

    async def store_up(self, *texts: str, by: str = "zhang3") -> None:
        """As a crash leaves it: stored, never released."""
        for number, text in enumerate(texts, 1):
            await self.database.append(envelope(text, by=by, number=number, seconds=number))


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


async def drained(dispatcher: Dispatcher[UnitOfWork]) -> None:
    async with asyncio.timeout(20):
        await dispatcher.drained()


async def test_looking_for_leftovers_does_not_repeat_what_is_in_work(bench: Bench) -> None:
    dispatcher = bench.dispatcher()
    bench.gate.clear()
    (await dispatcher.accept(envelope("x")))()
    await until(lambda: bench.begun)
    assert await dispatcher.recover() == 0
    bench.gate.set()
    await drained(dispatcher)
    assert bench.begun == ["x"]


async def test_a_delivery_that_its_door_still_answers_is_left_to_the_door(bench: Bench) -> None:
    dispatcher = bench.dispatcher()
    release = await dispatcher.accept(envelope("x"))
    assert await dispatcher.recover() == 0
    release()
    await drained(dispatcher)
    assert bench.begun == ["x"]


async def test_two_processes_with_the_same_message_act_once(bench: Bench) -> None:
    await bench.store_up("x")
    both = [bench.dispatcher(), bench.dispatcher()]
    bench.gate.clear()
    for dispatcher in both:
        assert await dispatcher.recover() == 1
    await until(lambda: bench.begun)
    bench.gate.set()
    for dispatcher in both:
        await drained(dispatcher)
    assert await bench.did() == ["x"]


async def test_what_was_stored_though_it_seemed_to_fail_is_not_overtaken(bench: Bench) -> None:
    """As when a connection breaks between a commit and its answer."""
    append = bench.store.append

    async def store_and_fail(sent: Envelope) -> int | None:
        await append(sent)
        raise ConnectionResetError

    dispatcher = bench.dispatcher()
    first, second = (envelope(text, number=n, seconds=n) for n, text in enumerate("ab"))
    bench.store.append = store_and_fail
    with pytest.raises(ConnectionResetError):
        await dispatcher.accept(first)
    bench.store.append = append
    for sent in (second, first):
        (await dispatcher.accept(sent))()
    await drained(dispatcher)
    assert await bench.did() == ["a", "b"]


async def test_a_lane_that_dies_leaves_its_messages_to_the_next_look(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it dies of, nobody is waited for that is not worked for."""
    dispatcher = bench.dispatcher()

    async def die(_: Any) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as broken:
        broken.setattr(dispatcher._handling, "work", die)
        (await dispatcher.accept(envelope("a", number=1, seconds=1)))()
        (await dispatcher.accept(envelope("b", number=2, seconds=2)))()
        await drained(dispatcher)
    assert await dispatcher.recover() == 2
    await drained(dispatcher)
    assert await bench.did() == ["a", "b"]


async def test_all_leftovers_are_taken_up_page_by_page_in_their_order(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.inbox, "MAX_UNFINISHED", 3)
    await bench.store_up(*[f"{n}" for n in range(10)])
    dispatcher = bench.dispatcher()
    assert await dispatcher.recover() == 10
    await drained(dispatcher)
    assert await bench.did() == [f"{n}" for n in range(10)]


async def test_what_waits_for_another_try_is_not_overtaken_after_a_restart(bench: Bench) -> None:
    await bench.store_up("first", "second")
    async with bench.database.begin() as tx:
        (first, _) = await bench.database.unfinished()
        await tx.delivery.postpone(first.id, until=START.replace(year=2027), reason="502")
    dispatcher = bench.dispatcher()
    await dispatcher.recover()
    await drained(dispatcher)
    assert await bench.did() == ["first", "second"]


async def test_stopping_finishes_what_is_begun_and_begins_nothing_more(bench: Bench) -> None:
    dispatcher = bench.dispatcher()
    for n in range(200):
        await bench.store_up("x", by=f"person{n}")
    bench.gate.clear()
    await dispatcher.recover()
    await until(lambda: bench.begun)
    stopping = asyncio.create_task(dispatcher.stop())
    await asyncio.sleep(0)
    bench.gate.set()
    async with asyncio.timeout(10):
        await stopping
    assert len(bench.begun) <= 40
    assert len(await bench.did()) + len(await bench.database.unfinished()) == 200


async def test_a_parser_with_a_bug_makes_a_dead_letter_not_a_loop(bench: Bench) -> None:
    dispatcher = bench.dispatcher()
    (await dispatcher.accept(envelope("crash")))()
    await drained(dispatcher)
    assert await bench.database.unfinished() == []
    async with bench.database.read() as tx:
        (letter,) = await tx.delivery.dead_letters(limit=5)
    assert "a bug in the parser" in letter.reason


async def test_a_database_that_is_away_long_costs_time_and_no_message(bench: Bench) -> None:
    dispatcher = bench.dispatcher()
    for number, text in enumerate(("one", "two"), 1):
        (await dispatcher.accept(envelope(text, number=number, seconds=number)))()
        bench.store.failures = 3 * MAX_ATTEMPTS
    await drained(dispatcher)
    assert await bench.did() == ["one", "two"]


async def test_files_that_hang_hold_up_nobody_who_sends_words(bench: Bench) -> None:
    dispatcher = bench.dispatcher()
    for n in range(FETCHING + 40):
        (await dispatcher.accept(envelope("file", by=f"person{n}")))()
    (await dispatcher.accept(envelope("words", by="somebody")))()
    await until(lambda: bench.begun)
    assert bench.begun == ["words"]
    bench.peer.hang.set()
    await drained(dispatcher)
    assert len(await bench.did()) == FETCHING + 41


async def test_a_recording_that_cannot_be_read_is_still_kept(bench: Bench) -> None:
    dispatcher = bench.dispatcher(transcriber=Deaf())
    (await dispatcher.accept(envelope("voice")))()
    await drained(dispatcher)
    assert bench.begun == ["voice"]


async def test_recordings_that_wait_for_the_engine_keep_no_file_from_being_fetched(
    bench: Bench,
) -> None:
    bench.peer.hang.set()
    slow = Slow()
    dispatcher = bench.dispatcher(transcriber=slow)
    for n in range(FETCHING + 1):
        (await dispatcher.accept(envelope("voice", by=f"person{n}")))()
    await until(lambda: slow.asked == FETCHING + 1)
    (await dispatcher.accept(envelope("file", by="somebody")))()
    await until(lambda: bench.begun)
    assert bench.begun == ["file"]
    slow.done.set()
    await drained(dispatcher)
    assert len(await bench.did()) == FETCHING + 2


async def test_a_file_keeps_its_place_while_it_is_fetched_again(bench: Bench) -> None:
    bench.peer.hang.set()
    bench.peer.download_failures = [Unavailable("502")]
    dispatcher = bench.dispatcher()
    for number, text in enumerate(("file", "words about it"), 1):
        (await dispatcher.accept(envelope(text, number=number, seconds=number)))()
    await drained(dispatcher)
    assert await bench.did() == ["file", "words about it"]


async def test_when_too_much_waits_the_door_is_told_to_let_the_platform_send_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.dispatcher.MAX_WAITING", 2)
    dispatcher = bench.dispatcher()
    bench.peer.hang.clear()
    for n in range(2):
        (await dispatcher.accept(envelope("file", number=n)))()
    with pytest.raises(Unavailable):
        await dispatcher.accept(envelope("file", number=3))
    bench.peer.hang.set()
    await drained(dispatcher)
    (await dispatcher.accept(envelope("file", number=3)))()
    await drained(dispatcher)
    assert await bench.did() == ["file"] * 3
