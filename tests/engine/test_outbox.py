"""What the outbox promises, on a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import FixedClock
from bot.errors import BotError, FilesAway, RateLimited, Rejected, Unavailable
from bot.messages import Address, OutboundMessage, Platform, Text
from bot.outbox import MAX_ATTEMPTS, Outbox
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.engine.parts import START, Peer


class Bench:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.peer = Peer()
        self.clock = FixedClock(START)
        self.outbox: Outbox[UnitOfWork] = Outbox(
            store=database, connectors={("wecom", "sales"): self.peer}, clock=self.clock
        )

    async def queue(self, *texts: str, to: str = "li4", **more: object) -> None:
        address = Address(Platform.WECOM, "sales", user_id=to)
        messages = [OutboundMessage(f"{to}:{text}", address, Text(text), **more) for text in texts]  # type: ignore[arg-type]
        async with self.database.begin() as tx:
            await tx.delivery.queue(messages, at=self.clock.at)

    async def fail(self, *errors: BotError) -> None:
        self.peer.failures += errors

    @property
    def sent(self) -> list[str]:
        return [text for _, text in self.peer.sent]


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


async def test_messages_to_one_person_keep_their_order(bench: Bench) -> None:
    await bench.queue("1", "2", "3")
    await bench.outbox.drain()
    assert bench.sent == ["1", "2", "3"]


async def test_a_persons_number_is_masked_on_its_way_out(bench: Bench) -> None:
    await bench.queue("王总13812345678")
    await bench.outbox.drain()
    assert bench.sent == ["王总138****5678"]


async def test_the_same_key_is_sent_once(bench: Bench) -> None:
    await bench.queue("x")
    await bench.queue("x")
    await bench.outbox.drain()
    assert bench.sent == ["x"]


async def test_a_platform_that_is_away_delays_and_loses_nothing(bench: Bench) -> None:
    await bench.queue("1", "2")
    await bench.fail(Unavailable("502"))
    await bench.outbox.drain()
    assert bench.sent == []
    bench.clock.at += timedelta(seconds=30)
    await bench.outbox.drain()
    assert bench.sent == ["1", "2"]


async def test_one_absent_person_does_not_hold_up_another(bench: Bench) -> None:
    await bench.fail(Unavailable("502"))
    await bench.queue("a", to="first")
    await bench.outbox.drain()
    await bench.queue("b", to="second")
    await bench.outbox.drain()
    assert bench.sent[0] == "b"


async def test_retries_have_an_end_and_a_reason(bench: Bench) -> None:
    await bench.queue("x")
    await bench.fail(*[Unavailable("502")] * MAX_ATTEMPTS)
    for _ in range(MAX_ATTEMPTS + 2):
        await bench.outbox.drain()
        bench.clock.at += timedelta(hours=3)
    assert bench.sent == []
    async with bench.database.begin() as tx:
        assert await tx.delivery.next_outgoing_at() is None


async def test_being_slowed_down_is_no_failed_attempt(bench: Bench) -> None:
    await bench.queue("x")
    await bench.fail(*[RateLimited("slow", retry_after_s=60)] * (MAX_ATTEMPTS + 3))
    for _ in range(MAX_ATTEMPTS + 4):
        await bench.outbox.drain()
        bench.clock.at += timedelta(seconds=61)
    assert bench.sent == ["x"]


async def test_a_file_waits_for_its_store_however_long_that_is_away(bench: Bench) -> None:
    """It used to be given up after four hours, though nothing was wrong with it."""
    await bench.queue("x")
    await bench.fail(*[FilesAway("文件存储暂时用不了")] * (MAX_ATTEMPTS + 3))
    for _ in range(MAX_ATTEMPTS + 4):
        await bench.outbox.drain()
        bench.clock.at += timedelta(hours=3)
    assert bench.sent == ["x"]


async def test_a_refusal_for_good_is_not_repeated(bench: Bench) -> None:
    await bench.queue("x", "y")
    await bench.fail(Rejected("81013"))
    await bench.outbox.drain()
    assert bench.sent == ["y"]


async def test_quiet_hours_hold_a_message_but_not_the_next_answer(bench: Bench) -> None:
    later = START + timedelta(hours=3)
    await bench.queue("push", not_before=later)
    await bench.queue("answer")
    await bench.outbox.drain()
    assert bench.sent == ["answer"]
    bench.clock.at = later
    await bench.outbox.drain()
    assert bench.sent == ["answer", "push"]


async def test_what_has_expired_is_not_sent(bench: Bench) -> None:
    await bench.queue("old", expires_at=START + timedelta(minutes=1))
    bench.clock.at += timedelta(minutes=2)
    await bench.outbox.drain()
    assert bench.sent == []
