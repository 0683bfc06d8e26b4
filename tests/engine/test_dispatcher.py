"""What the dispatcher promises, on a real database, with a handler of our own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import select

from bot.clock import FixedClock
from bot.dispatcher import Dispatcher
from bot.errors import PermanentError, Refused, Unavailable
from bot.handling import MAX_ATTEMPTS, Handling, Wording
from bot.messages import Incoming, OutboundMessage, Text
from storage.database import Database
from storage.tables import outbox
from storage.unit_of_work import UnitOfWork
from tests.engine.parts import START, Peer, Shelf, envelope

Handle = Callable[[UnitOfWork, Incoming], Any]


class Bench:
    """A dispatcher over a database; `seen` is what its handler was given, in order."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.peer = Peer()
        self.seen: list[str] = []
        self.files: list[str] = []
        self.errors: list[Exception] = []

    def dispatcher(self) -> Dispatcher[UnitOfWork]:
        return Dispatcher(
            Handling(
                store=self.database,
                connectors={("wecom", "sales"): self.peer},
                files=Shelf(),
                handle=self._handle,
                clock=FixedClock(START),
                wording=Wording(apology=lambda reference: f"sorry {reference[:2]}"),
                backoff_s=0.01,
            ),
        )

    async def _handle(self, tx: UnitOfWork, incoming: Incoming) -> Sequence[OutboundMessage]:
        await asyncio.sleep(0)
        text = incoming.message.text
        if self.errors:
            await tx.settings.put("half", text, incoming.at)
            raise self.errors.pop(0)
        self.seen.append(text)
        self.files += [fetched.lost or "stored" for fetched in incoming.files]
        answer = Text(f"re {text}")
        return [OutboundMessage(f"{incoming.source_id}:0", incoming.message.origin, answer)]

    async def take(self, dispatcher: Dispatcher[UnitOfWork], *envelopes: Any) -> None:
        for one in envelopes:
            (await dispatcher.accept(one))()
        async with asyncio.timeout(20):
            await dispatcher.drained()

    async def queued(self) -> list[str]:
        async with self.database.begin() as tx:
            due = await tx.delivery.take_due(at=START, limit=100)
        return [one.content.text for one in due if isinstance(one.content, Text)]

    async def dead(self) -> list[str]:
        async with self.database.begin() as tx:
            return [letter.reason for letter in await tx.delivery.dead_letters(limit=10)]


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


async def test_a_delivery_that_comes_three_times_acts_once(bench: Bench) -> None:
    dispatcher = bench.dispatcher()
    await bench.take(dispatcher, *[envelope("hi")] * 3)
    assert bench.seen == ["hi"]
    assert await bench.queued() == ["re hi"]


async def test_one_conversation_keeps_its_order_while_others_go_on(bench: Bench) -> None:
    dispatcher = bench.dispatcher()
    await bench.take(
        dispatcher,
        *[envelope(f"a{n}", by="a", number=n, seconds=n) for n in range(10)],
        *[envelope(f"b{n}", by="b", number=n, seconds=n) for n in range(10)],
    )
    for person in "ab":
        heard = [text for text in bench.seen if text[0] == person]
        assert heard == [f"{person}{n}" for n in range(10)]


async def test_what_was_sent_earlier_is_handled_first_when_both_wait(bench: Bench) -> None:
    dispatcher = bench.dispatcher()
    releases = [
        await dispatcher.accept(envelope(f"at {seconds}", number=number, seconds=seconds))
        for number, seconds in ((1, 5), (2, 9), (3, 7))
    ]
    for release in releases:
        release()
    await dispatcher.drained()
    assert bench.seen == ["at 5", "at 7", "at 9"]


async def test_stored_but_unhandled_survives_a_crash(bench: Bench) -> None:
    await bench.dispatcher().accept(envelope("before the crash"))
    after = bench.dispatcher()
    assert await after.recover() == 1
    await after.drained()
    assert bench.seen == ["before the crash"]
    assert await bench.dispatcher().recover() == 0


async def test_a_users_mistake_is_rolled_back_and_explained(bench: Bench) -> None:
    bench.errors = [Refused("不行")]
    await bench.take(bench.dispatcher(), envelope("x"))
    assert await bench.queued() == ["不行"]
    async with bench.database.begin() as tx:
        assert await tx.settings.get("half") is None
    assert await bench.dead() == []


async def test_a_passing_fault_is_tried_again_in_order(bench: Bench) -> None:
    bench.errors = [Unavailable("later"), Unavailable("later")]
    await bench.take(bench.dispatcher(), envelope("one"), envelope("two", number=2, seconds=1))
    assert bench.seen == ["one", "two"]


async def test_what_fails_too_often_is_a_dead_letter_with_an_apology(bench: Bench) -> None:
    bench.errors = [RuntimeError("bug")] * MAX_ATTEMPTS
    await bench.take(bench.dispatcher(), envelope("x"), envelope("y", number=2, seconds=1))
    (reason,) = await bench.dead()
    assert "bug" in reason
    assert bench.seen == ["y"]
    queued = await bench.queued()
    assert any(text.startswith("sorry") for text in queued)


async def test_a_dead_letter_can_be_replayed(bench: Bench) -> None:
    bench.errors = [PermanentError("no")]
    await bench.take(bench.dispatcher(), envelope("x"))
    assert bench.seen == []
    async with bench.database.begin() as tx:
        assert await tx.delivery.mark_for_replay(failed=True, since=None, ids=[]) == 1
    again = bench.dispatcher()
    await again.recover()
    await again.drained()
    assert bench.seen == ["x"]
    assert await bench.dead() == []


async def test_garbage_is_kept_with_its_reason_and_answers_nobody(bench: Bench) -> None:
    await bench.take(bench.dispatcher(), envelope("garbage"))
    (reason,) = await bench.dead()
    assert "no such message type" in reason
    assert await bench.queued() == []


async def test_a_file_that_comes_late_is_waited_for(bench: Bench) -> None:
    bench.peer.download_failures = [Unavailable("502")]
    await bench.take(bench.dispatcher(), envelope("file"))
    assert bench.files == ["stored"]


async def test_a_file_that_never_comes_is_told_and_kept_for_replay(bench: Bench) -> None:
    bench.peer.download_failures = [Unavailable("502")] * MAX_ATTEMPTS
    await bench.take(bench.dispatcher(), envelope("file"))
    assert bench.files == ["file: 502"]
    async with bench.database.begin() as tx:
        assert await tx.delivery.mark_for_replay(failed=True, since=None, ids=[]) == 1


async def test_long_answers_are_split_not_cut(bench: Bench) -> None:
    await bench.take(bench.dispatcher(), envelope("0123456789abc"))
    dispatched = await bench.queued()
    assert "".join(dispatched).startswith("re 0123456")
    async with bench.database.begin() as tx:
        heads = await tx.delivery.take_due(at=START, limit=100)
        assert len(heads) == 1, "parts of one answer go one after the other"


async def test_two_dispatchers_in_turn_never_answer_twice(bench: Bench) -> None:
    for _ in range(2):
        await bench.take(bench.dispatcher(), envelope("hi"))
    assert await bench.queued() == ["re hi"]


async def replay(bench: Bench, *, failed: bool) -> None:
    async with bench.database.begin() as tx:
        since = None if failed else START
        assert await tx.delivery.mark_for_replay(failed=failed, since=since, ids=[]) == 1
    again = bench.dispatcher()
    assert await again.recover() == 1
    await again.drained()


async def test_a_word_that_was_handled_and_answered_acts_no_second_time(bench: Bench) -> None:
    await bench.take(bench.dispatcher(), envelope("undo"))
    await replay(bench, failed=False)
    assert bench.seen == ["undo"]
    assert await bench.queued() == ["re undo"]


async def test_a_replayed_file_is_answered_once_it_is_there(bench: Bench) -> None:
    bench.peer.download_failures = [Unavailable("502")] * (2 * MAX_ATTEMPTS)
    await bench.take(bench.dispatcher(), envelope("file"))
    await replay(bench, failed=True)
    assert len(await bench.queued()) == 1, "the same loss is not told twice"
    bench.peer.download_failures = []
    await replay(bench, failed=True)
    assert bench.files[-1] == "stored"
    async with bench.database.begin() as tx:
        assert (await tx.delivery.counts())["outbox"] == 2


async def test_dead_letters_put_back_while_the_bot_runs_are_handled_once(bench: Bench) -> None:
    bench.errors = [PermanentError("no")]
    running = bench.dispatcher()
    await bench.take(running, envelope("x"))
    async with bench.database.begin() as tx:
        assert await tx.delivery.mark_for_replay(failed=True, since=None, ids=[]) == 1
    await asyncio.gather(running.recover(), running.recover(), running.recover())
    await running.drained()
    # A look at the inbox may be older than its handling: then the handler may run again, and
    # all it did is rolled back. What counts is what was kept.
    async with bench.database.begin() as tx:
        rows = await tx.delivery._conn.execute(
            select(outbox.c.dedupe_key).where(outbox.c.content.contains("re x"))
        )
        assert len(rows.all()) == 1
    assert await bench.dead() == []
