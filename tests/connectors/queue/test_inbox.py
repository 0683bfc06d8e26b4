"""What doors take in goes through the stream into the database: all of it, once, in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from benchmarks.nats_server import NatsServer
from bot.errors import TransientError, Unavailable
from bot.messages import Envelope
from bot.ports import Release
from connectors.queue.access import Access
from connectors.queue.inbox import look
from storage.database import Database
from storage.tables import inbox
from tests.connectors.queue.queue_bed import Engine, beside, engine, queue, stream
from tests.engine.parts import envelope, until

pytestmark = pytest.mark.nats


@pytest.fixture
async def access(nats_url: str) -> AsyncIterator[Access]:
    async with stream(nats_url) as made:
        yield made


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    """Of one kind, since to the stream it is only somewhere to go."""
    opened = await Database.open(sqlite_url)
    yield opened
    await opened.close()


@pytest.fixture
async def bot(database: Database) -> AsyncIterator[Engine]:
    async with engine(database) as made:
        yield made


async def rows(database: Database) -> list[tuple[str, str, str]]:
    """channel, state, reason of all there is."""
    async with database.read() as tx:
        found = await tx.delivery._conn.execute(
            select(inbox.c.channel, inbox.c.state, inbox.c.reason).order_by(inbox.c.id)
        )
        return [tuple(row) for row in found]


async def never(_: Envelope) -> Release:
    """The database of a process that stands still."""
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_message_is_in_the_store_once_it_is_accepted(access: Access) -> None:
    async with (
        beside(access) as onlooker,
        queue(access, never, holds=lambda _: False) as doors,
    ):
        await doors.accept(envelope("hi"))
        assert (await onlooker.state()).messages == 1


async def test_it_is_handled_once_the_platform_has_its_answer(access: Access, bot: Engine) -> None:
    async with (
        beside(access) as onlooker,
        queue(access, bot.dispatcher.accept) as doors,
    ):
        release = await doors.accept(envelope("hi"))
        async with asyncio.timeout(10):
            while (await onlooker.state()).messages:  # noqa: ASYNC110 - a stream has no event
                await asyncio.sleep(0.01)
        assert bot.did == []
        assert doors.is_on_its_way("wecom:sales:u:zhang3") is False
        release()
        await until(lambda: bot.did)
    assert bot.did == ["hi"]


async def test_one_delivery_acts_once_however_often_it_comes(
    access: Access, nats_url: str, bot: Engine, database: Database
) -> None:
    """Within the store's memory and after it, for which another stream stands."""
    for each in (access, access, replace(access, stream=f"{access.stream}2")):
        async with queue(each, bot.dispatcher.accept) as doors:
            for text in ("hi", "hi"):
                (await doors.accept(envelope(text)))()
            (await doors.accept(envelope("end", number=2)))()
            await until(lambda: "end" in bot.did)
            await bot.dispatcher.drained()
    async with beside(access) as onlooker:
        await onlooker.jetstream.delete_stream(f"{access.stream}2")
    assert bot.did == ["hi", "end"]
    assert len(await rows(database)) == 2


async def test_a_known_delivery_leaves_nobody_waiting_for_it(access: Access, bot: Engine) -> None:
    async with queue(access, bot.dispatcher.accept) as doors:
        (await doors.accept(envelope("hi")))()
        await until(lambda: bot.did)
        (await doors.accept(envelope("hi")))()
        assert not doors.is_on_its_way("wecom:sales:u:zhang3")


async def test_what_a_dead_process_had_in_hand_is_taken_over_in_order(
    access: Access, bot: Engine
) -> None:
    """It took the first from the stream and stood still; the others lie behind it."""
    begun = asyncio.Event()

    async def stuck(one: Envelope) -> Release:
        begun.set()
        return await never(one)

    dead = asyncio.create_task(stand_still(access, stuck))
    async with queue(access, never, holds=lambda _: False) as doors:
        for number in range(1, 6):
            (await doors.accept(envelope(f"{number}", number=number, seconds=number)))()
        await begun.wait()
    async with queue(access, bot.dispatcher.accept):
        await until(lambda: len(bot.did) == 5)
    dead.cancel()
    await asyncio.gather(dead, return_exceptions=True)
    assert bot.did == ["1", "2", "3", "4", "5"]


async def stand_still(access: Access, into: object) -> None:
    async with queue(access, into):  # type: ignore[arg-type]
        await asyncio.Event().wait()


async def test_what_has_the_partition_no_more_takes_nothing_more(
    access: Access, bot: Engine
) -> None:
    held = {"inbox"}
    async with queue(access, bot.dispatcher.accept, holds=lambda _: bool(held)) as doors:
        (await doors.accept(envelope("mine")))()
        await until(lambda: bot.did)
        held.clear()
        doors.shares_changed(frozenset(), frozenset())
        (await doors.accept(envelope("not mine", number=2)))()
        async with beside(access) as onlooker:
            await asyncio.sleep(0.5)
            assert (await onlooker.state()).messages == 1
        held.add("inbox")
        doors.shares_changed(frozenset(), frozenset())
        await until(lambda: len(bot.did) == 2)


async def test_without_nats_doors_are_told_and_with_it_again_the_resend_gets_through(
    own_nats: NatsServer, bot: Engine
) -> None:
    async with queue(Access(own_nats.url), bot.dispatcher.accept) as doors:
        (await doors.accept(envelope("before")))()
        await until(lambda: bot.did)
        await own_nats.stop()
        await until(lambda: doors.trouble)
        with pytest.raises(TransientError):
            await doors.accept(envelope("again", number=2))
        await own_nats.start()
        await until(lambda: not doors.trouble)
        (await doors.accept(envelope("again", number=2)))()
        await until(lambda: len(bot.did) == 2)
    assert bot.did == ["before", "again"]


async def test_a_store_that_stands_still_is_not_waited_for(
    own_nats: NatsServer, bot: Engine
) -> None:
    """Less than the five seconds that a platform gives us. What it had taken all the same is known
    when it is sent again."""
    async with queue(Access(own_nats.url), bot.dispatcher.accept) as doors:
        own_nats.signal(signal.SIGSTOP)
        with pytest.raises(TransientError):
            async with asyncio.timeout(4.5):
                await doors.accept(envelope("again"))
        await until(lambda: doors.trouble)
        own_nats.signal(signal.SIGCONT)
        await until(lambda: not doors.trouble)
        (await doors.accept(envelope("again")))()
        (await doors.accept(envelope("after", number=2, seconds=1)))()
        await until(lambda: "after" in bot.did)
    assert bot.did == ["again", "after"]


async def test_what_was_accepted_outlives_the_server(own_nats: NatsServer, bot: Engine) -> None:
    """Stopped with everything unhandled, while somebody has some of it in hand."""
    access = Access(own_nats.url)
    held: set[str] = set()
    async with queue(access, bot.dispatcher.accept, holds=lambda _: bool(held)) as doors:
        for number in range(20):
            (await doors.accept(envelope(f"{number}", number=number, seconds=number)))()
        await own_nats.stop()
        held.add("all")
        await own_nats.start()
        await until(lambda: len(bot.did) == 20)
    assert bot.did == [f"{number}" for number in range(20)]


async def test_a_bot_starts_without_nats(own_nats: NatsServer, bot: Engine) -> None:
    await own_nats.stop()
    async with queue(Access(own_nats.url), bot.dispatcher.accept) as doors:
        assert doors.trouble
        await own_nats.start()
        await until(lambda: not doors.trouble)
        (await doors.accept(envelope("hi")))()
        await until(lambda: bot.did)


async def test_a_full_stream_refuses_and_drops_nothing(nats_url: str, bot: Engine) -> None:
    held: set[str] = set()
    accepted = refused = 0
    async with (
        stream(nats_url, max_mb=1) as access,
        queue(access, bot.dispatcher.accept, holds=lambda _: bool(held)) as doors,
    ):
        for number in range(10):
            try:
                (await doors.accept(envelope(f"{number}{'x' * 200_000}", number=number)))()
                accepted += 1
            except Unavailable:
                refused += 1
        assert doors.trouble == "full"
        held.add("all")
        doors.shares_changed(frozenset(), frozenset())
        await until(lambda: len(bot.did) == accepted)
        (await doors.accept(envelope("small", number=11)))()
        await until(lambda: bot.did[-1] == "small")
        await until(lambda: doors.trouble == "")
    assert accepted > 1
    assert refused > 1


async def test_what_no_message_of_the_stream_can_hold_goes_past_it(
    access: Access, bot: Engine
) -> None:
    said = "x" * 1_100_000
    async with queue(access, bot.dispatcher.accept) as doors:
        (await doors.accept(envelope(said)))()
        await until(lambda: bot.did)
    assert bot.did == [said]


async def test_rubbish_in_the_stream_is_kept_with_its_reason_and_holds_up_nobody(
    access: Access, bot: Engine, database: Database
) -> None:
    async with (
        beside(access) as onlooker,
        queue(access, bot.dispatcher.accept) as doors,
    ):
        for number, rubbish in enumerate((b"", b"{}\n", b"[1,2,3]\nx", b"\xff")):
            subject = f"{access.root}.inbox.{number:02}"
            assert await onlooker.publish(subject, rubbish, message_id=f"m{number}")
        (await doors.accept(envelope("hi")))()
        await until(lambda: bot.did)
        async with asyncio.timeout(10):
            while len(await rows(database)) < 5:  # noqa: ASYNC110 - a row has no event
                await asyncio.sleep(0.01)
    dead = [row for row in await rows(database) if row[1] == "dead"]
    assert len(dead) == 4
    for channel, _, reason in dead:
        assert channel == f"queue:{access.stream}:stream"
        assert reason.startswith("unreadable in the queue")


async def test_a_message_that_fails_is_a_dead_letter_and_can_be_replayed(
    access: Access, bot: Engine, database: Database
) -> None:
    async with queue(access, bot.dispatcher.accept) as doors:
        (await doors.accept(envelope("boom")))()
        (await doors.accept(envelope("after", number=2, seconds=1)))()
        await until(lambda: bot.did == ["after"])
        [failed, _] = await rows(database)
        assert failed[1] == "dead"
        assert "a bug" in failed[2]
        async with database.begin() as tx:
            assert await tx.delivery.mark_for_replay(True, None, []) == 1
        assert await bot.dispatcher.recover() == 1


@pytest.mark.postgres
async def test_what_the_database_refuses_is_a_dead_letter_and_holds_up_nobody(
    access: Access, postgres_url: str
) -> None:
    """PostgreSQL holds no NUL in its texts."""
    database = await Database.open(postgres_url)
    async with engine(database) as bot, queue(access, bot.dispatcher.accept) as doors:
        (await doors.accept(replace(envelope("bad"), delivery_id="a\0b")))()
        (await doors.accept(envelope("good", number=2)))()
        async with asyncio.timeout(60):
            while not bot.did:  # noqa: ASYNC110 - it takes as many tries as it takes
                await asyncio.sleep(0.05)
        states = {row[1]: row[2] for row in await rows(database)}
    await database.close()
    assert "refuses" in states["dead"]


async def test_too_many_waiting_leaves_the_rest_in_the_stream(access: Access, bot: Engine) -> None:
    patience = 3

    async def busy(one: Envelope) -> Release:
        nonlocal patience
        if patience:
            patience -= 1
            raise Unavailable("too many messages waiting")
        return await bot.dispatcher.accept(one)

    async with queue(access, busy) as doors:
        for number in (1, 2):
            (await doors.accept(envelope(f"{number}", number=number, seconds=number)))()
        await until(lambda: len(bot.did) == 2)
    assert bot.did == ["1", "2"]


async def test_the_second_waits_while_the_database_takes_not_the_first(
    access: Access, bot: Engine
) -> None:
    tried: list[bytes] = []

    async def shaky(one: Envelope) -> Release:
        tried.append(one.body)
        if len(tried) <= 2:
            raise OSError("away")
        return await bot.dispatcher.accept(one)

    async with queue(access, never, holds=lambda _: False) as doors:
        for number in (1, 2):
            (await doors.accept(envelope(f"{number}", number=number, seconds=number)))()
    async with queue(access, shaky):
        await until(lambda: len(bot.did) == 2)
    assert tried == [b"1", b"1", b"1", b"2"]


async def test_the_doctor_sees_to_the_stream(access: Access) -> None:
    told = await look(access)
    assert access.stream in told
    assert told == await look(access)


async def test_a_stream_follows_its_settings(access: Access) -> None:
    await look(access)
    await look(replace(access, max_mb=8))
    async with beside(replace(access, max_mb=8)) as onlooker:
        config = (await onlooker.jetstream.stream_info(access.stream)).config
    assert config.max_bytes == 8 * 1024 * 1024


async def test_somebody_elses_stream_is_left_alone(access: Access, nats_url: str) -> None:
    other = replace(access, stream=f"{access.stream}X")
    async with beside(access) as onlooker:
        await onlooker.jetstream.add_stream(name=other.stream, subjects=[f"{other.root}.>"])
        with pytest.raises(Unavailable, match="not ours"):
            await look(other)
        await onlooker.jetstream.delete_stream(other.stream)


async def test_refusals_tell_no_password(own_nats: NatsServer) -> None:
    await own_nats.stop()
    host = own_nats.url.removeprefix("nats://")
    with pytest.raises(Unavailable) as refused:
        await look(Access(f"nats://gendan:top-secret@{host}"))
    assert "top-secret" not in str(refused.value)
    assert "top-secret" not in repr(Access(f"nats://gendan:top-secret@{host}", password="x"))
