"""What a door was told is stored, is stored: once, and through a crash."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from bot.messages import Envelope
from storage.database import Database
from storage.delivery import TICKS_KEPT
from storage.tables import ticks
from tests.storage.samples import AT, after, envelope


async def test_a_stored_envelope_comes_back_byte_for_byte(database: Database) -> None:
    sent = envelope(body=bytes(range(256)), sent_at=after(-1.5))
    stored = await database.append(sent)
    assert stored is not None
    pending = await database.pending(stored)
    assert pending is not None
    assert (pending.envelope, pending.attempts, pending.replayed) == (sent, 0, False)


async def test_a_known_delivery_is_not_stored_twice(database: Database) -> None:
    assert await database.append(envelope("7")) is not None
    assert await database.append(envelope("7", body=b"sent again")) is None
    assert await database.append(envelope("7", channel="wecom:service:app")) is not None


async def test_the_same_delivery_many_times_at_once_is_stored_once(database: Database) -> None:
    ids = await asyncio.gather(*(database.append(envelope(str(n % 10))) for n in range(200)))
    assert Counter(inbox_id is not None for inbox_id in ids) == {True: 10, False: 190}
    assert len(await database.unfinished()) == 10


def test_any_mixture_of_known_and_new_gets_the_right_ids(sqlite_url: str) -> None:
    @settings(max_examples=15)
    @given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.integers(0, 10**9))
    def check(deliveries: list[int], run: int) -> None:
        asyncio.run(_append_all(sqlite_url, [f"{run}-{number}" for number in deliveries]))

    check()


async def _append_all(url: str, delivery_ids: list[str]) -> None:
    database = await Database.open(url, synchronous="OFF")
    try:
        before = {pending.envelope.delivery_id for pending in await database.unfinished()}
        ids = await asyncio.gather(*(database.append(envelope(one)) for one in delivery_ids))
        seen = set(before)
        for delivery_id, inbox_id in zip(delivery_ids, ids, strict=True):
            assert (inbox_id is None) == (delivery_id in seen)
            seen.add(delivery_id)
            if inbox_id is not None:
                pending = await database.pending(inbox_id)
                assert pending is not None
                assert pending.envelope.delivery_id == delivery_id
    finally:
        await database.close()


async def test_what_was_stored_before_a_crash_is_found_by_the_next_start(
    database: Database, database_url: str
) -> None:
    await asyncio.gather(*(database.append(envelope(str(number))) for number in range(5)))
    restarted = await Database.open(database_url)  # the first one is never closed in order
    found = await restarted.unfinished()
    assert {pending.envelope.delivery_id for pending in found} == set("01234")
    await restarted.close()


async def test_unfinished_come_in_the_order_they_were_sent(database: Database) -> None:
    for delivery_id, minute in (("late", 9), ("early", 1), ("same-1", 5), ("same-2", 5)):
        await database.append(envelope(delivery_id, sent_at=after(minute)))
    found = await database.unfinished()
    order = [pending.envelope.delivery_id for pending in found]
    assert order == ["early", "same-1", "same-2", "late"]


async def test_one_that_cannot_be_stored_spoils_no_other(database: Database) -> None:
    naive = envelope("bad", sent_at=datetime(2026, 1, 28))  # noqa: DTZ001
    envelopes = [*(envelope(str(number)) for number in range(20)), naive]
    outcomes = await asyncio.gather(
        *(database.append(one) for one in envelopes), return_exceptions=True
    )
    assert all(isinstance(outcome, int) for outcome in outcomes[:-1])
    assert isinstance(outcomes[-1], (SQLAlchemyError, ValueError))


async def test_an_unreadable_envelope_is_a_dead_letter_from_birth(database: Database) -> None:
    stored = await database.append(envelope("x", unreadable="no such message type"))
    assert stored is not None
    assert await database.unfinished() == []
    async with database.read() as tx:
        (letter,) = await tx.delivery.dead_letters(10)
    assert (letter.box, letter.id, letter.reason) == ("inbox", stored, "no such message type")


async def test_an_unreadable_one_comes_together_with_others(database: Database) -> None:
    envelopes = [envelope("1"), envelope("x", unreadable="no such message type"), envelope("2")]
    ids = await asyncio.gather(*(database.append(one) for one in envelopes))
    assert [pending.id for pending in await database.unfinished()] == [ids[0], ids[2]]
    async with database.read() as tx:
        assert [letter.id for letter in await tx.delivery.dead_letters(10)] == [ids[1]]


async def test_a_door_that_gave_up_does_not_stop_the_others(database: Database) -> None:
    impatient = asyncio.create_task(database.append(envelope("a")))
    patient = asyncio.create_task(database.append(envelope("b")))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient is not None


async def test_closing_writes_what_doors_still_wait_for(database_url: str) -> None:
    database = await Database.open(database_url)
    waiting = [asyncio.create_task(database.append(envelope(str(n)))) for n in range(50)]
    await asyncio.sleep(0)
    await database.close()
    assert None not in await asyncio.gather(*waiting)
    with pytest.raises(RuntimeError, match="closed"):
        await database.append(envelope("after"))


async def test_appending_and_transactions_take_turns(database: Database) -> None:
    async def count_up() -> None:
        async with database.begin() as tx:
            await tx.settings.put("n", (await tx.settings.get("n") or 0) + 1, AT)

    async with database.begin() as tx:
        await tx.settings.put("n", 0, AT)
    doors = [database.append(envelope(str(number))) for number in range(100)]
    ids = await asyncio.gather(*doors, *(count_up() for _ in range(20)), return_exceptions=True)
    assert not [one for one in ids if isinstance(one, BaseException)]


async def test_a_finished_one_is_not_handed_out_again(database: Database) -> None:
    inbox_id = await _stored(database, envelope())
    async with database.begin() as tx:
        await tx.delivery.finish(inbox_id, at=AT)
    assert await database.pending(inbox_id) is None
    assert await database.unfinished() == []


async def test_a_postponed_one_keeps_its_place_and_counts_its_attempts(database: Database) -> None:
    inbox_id = await _stored(database, envelope())
    async with database.begin() as tx:
        await tx.delivery.postpone(inbox_id, until=after(5), reason="platform down")
    (pending,) = await database.unfinished()
    assert pending.attempts == 1


async def test_rolling_back_leaves_nothing(database: Database) -> None:
    inbox_id = await _stored(database, envelope())

    async def fail() -> None:
        async with database.begin() as tx:
            await tx.delivery.finish(inbox_id, at=AT)
            await tx.settings.put("colour", "red", AT)
            raise KeyError("handler")

    with pytest.raises(KeyError):
        await fail()
    assert await database.pending(inbox_id) is not None
    async with database.read() as tx:
        assert await tx.settings.get("colour") is None


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(SQLAlchemyError):
        async with database.read() as tx:
            await tx.settings.put("colour", "red", AT)


async def test_replay_takes_failed_ones_back_to_new(database: Database) -> None:
    good, noted, dead = [await _stored(database, envelope(key)) for key in ("a", "b", "c")]
    async with database.begin() as tx:
        await tx.delivery.finish(good, at=AT)
        await tx.delivery.finish(noted, at=AT, note="voice: gone")
        await tx.delivery.bury(dead, at=after(10), reason="after 5 attempts")
    async with database.begin() as tx:
        assert await tx.delivery.mark_for_replay(True, after(5), []) == 1
        assert await tx.delivery.mark_for_replay(False, None, [noted]) == 1
        assert await tx.delivery.mark_for_replay(False, None, []) == 0
    found = await database.unfinished()
    assert {(one.id, one.attempts, one.replayed) for one in found} == {
        (noted, 0, False),
        (dead, 0, False),
    }


async def test_replay_since_takes_all_that_was_handled_since(database: Database) -> None:
    old, new = [await _stored(database, envelope(key)) for key in ("old", "new")]
    async with database.begin() as tx:
        await tx.delivery.finish(old, at=AT)
        await tx.delivery.finish(new, at=after(10))
        assert await tx.delivery.mark_for_replay(False, after(10), []) == 1
    assert [(one.id, one.replayed) for one in await database.unfinished()] == [(new, True)]


async def test_a_tick_is_claimed_once_by_two_at_once(database: Database) -> None:
    async def claim() -> bool:
        async with database.begin() as tx:
            return await tx.delivery.claim_tick("sweep", AT, at=after(1))

    assert sorted(await asyncio.gather(claim(), claim())) == [False, True]
    async with database.begin() as tx:
        assert await tx.delivery.claim_tick("sweep", after(5), at=after(5))


async def test_ticks_that_nobody_can_ask_for_any_more_are_forgotten(database: Database) -> None:
    begun = AT - TICKS_KEPT - timedelta(minutes=10)
    for minute in range(10):
        async with database.begin() as tx:
            at = begun + timedelta(minutes=minute)
            assert await tx.delivery.claim_tick("sweep", at, at=at)
            assert await tx.delivery.claim_tick("another", at, at=at)
    async with database.begin() as tx:
        assert await tx.delivery.claim_tick("sweep", AT, at=AT)
        query = select(ticks.c.job, func.count()).group_by(ticks.c.job)
        left = {job: count for job, count in await tx.delivery._conn.execute(query)}
    assert left == {"sweep": 1, "another": 10}


async def test_counts_say_what_waits_and_what_was_given_up(database: Database) -> None:
    await _stored(database, envelope("waits"))
    await _stored(database, envelope("dead", unreadable="garbage"))
    async with database.read() as tx:
        counts = await tx.delivery.counts()
    assert counts == {"inbox": 1, "inbox_dead": 1, "outbox": 0, "outbox_dead": 0}


async def test_those_that_are_known_to_wait_are_left_out(database: Database) -> None:
    first, second = [await _stored(database, envelope(one)) for one in ("first", "second")]
    assert [one.id for one in await database.unfinished(besides={first})] == [second]
    assert await database.unfinished(besides={first, second}) == []


async def _stored(database: Database, one: Envelope) -> int:
    inbox_id = await database.append(one)
    assert inbox_id is not None
    return inbox_id


async def test_the_latest_moment_noted_is_a_ticks_or_a_deliverys(database: Database) -> None:
    """A clock that stands at it again does not put what was said into the future."""
    async with database.read() as tx:
        assert await tx.delivery.last_noted_at() is None
    async with database.begin() as tx:
        await tx.delivery.claim_tick("job", after(5), at=after(6))
    stored = await database.append(envelope(received_at=after(7)))
    async with database.read() as tx:
        assert await tx.delivery.last_noted_at() == after(7)
    assert stored is not None
    async with database.begin() as tx:
        await tx.delivery.finish(stored, at=after(9))
    async with database.read() as tx:
        assert await tx.delivery.last_noted_at() == after(9)


async def test_how_long_the_oldest_has_waited_is_measured(database: Database) -> None:
    async with database.read() as tx:
        assert await tx.delivery.overdue(after(1)) == {"inbox": 0.0, "outbox": 0.0}
    for number, minutes in (("1", 0), ("2", 10)):
        await database.append(envelope(number, received_at=after(minutes)))
    async with database.read() as tx:
        assert await tx.delivery.overdue(after(30)) == {"inbox": 1800.0, "outbox": 0.0}
