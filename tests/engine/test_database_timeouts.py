"""What hangs in PostgreSQL is ended, undone and tried again; what is to take long may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import text

from bot.clock import FixedClock
from bot.dispatcher import Dispatcher
from bot.errors import TimedOut, Unavailable
from bot.handling import Handling, Wording
from bot.messages import Incoming, OutboundMessage, Text
from storage.database import Database
from storage.engines import open_engine, to_url
from storage.unit_of_work import UnitOfWork
from tests.engine.parts import START, Peer, Shelf, envelope

pytestmark = pytest.mark.postgres

HANGS = text("SELECT pg_sleep(120)")


@pytest.fixture
async def impatient(postgres_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(postgres_url, statement_timeout_s=2.0)
    yield opened
    await opened.close()


async def test_a_statement_that_hangs_is_ended_and_undone(impatient: Database) -> None:
    async def write_and_hang() -> None:
        async with impatient.begin() as tx:
            await tx.settings.put("half", True, START)
            await tx._conn.execute(HANGS)

    with pytest.raises(TimedOut, match="took too long"):
        await write_and_hang()
    async with impatient.read() as tx:
        assert await tx.settings.get("half") is None
    with pytest.raises(TimedOut):
        async with impatient.read() as tx:
            await tx._conn.execute(HANGS)


async def test_who_waits_for_a_lock_in_vain_is_told_so(impatient: Database) -> None:
    async with impatient.begin() as first:
        await first.settings.put("both", 1, START)
        with pytest.raises(TimedOut, match="lock"):
            async with impatient.begin() as second:
                await second.settings.put("both", 2, START)
    async with impatient.read() as tx:
        assert await tx.settings.get("both") == 1


async def test_two_that_wait_for_each_other_are_parted(postgres_url: str) -> None:
    database = await Database.open(postgres_url)
    met = asyncio.Barrier(2)

    async def write(*names: str) -> None:
        async with database.begin() as tx:
            await tx.settings.put(names[0], 1, START)
            await met.wait()
            await tx.settings.put(names[1], 1, START)

    ends = await asyncio.gather(write("a", "b"), write("b", "a"), return_exceptions=True)
    await database.close()
    assert sorted(type(one) for one in ends if one is not None) == [Unavailable]


async def test_a_message_whose_statement_hung_is_handled_at_the_next_try(
    impatient: Database,
) -> None:
    tries = 0

    async def handle(tx: UnitOfWork, incoming: Incoming) -> Sequence[OutboundMessage]:
        nonlocal tries
        tries += 1
        await tx.settings.put(f"try {tries}", True, incoming.at)
        if tries == 1:
            await tx._conn.execute(HANGS)
        answer = Text(f"re {incoming.message.text}")
        return [OutboundMessage(f"{incoming.source_id}:0", incoming.message.origin, answer)]

    dispatcher = Dispatcher(
        Handling(
            store=impatient,
            connectors={("wecom", "sales"): Peer()},
            files=Shelf(),
            handle=handle,
            clock=FixedClock(START),
            wording=Wording(apology=str),
            backoff_s=0.01,
        ),
    )
    (await dispatcher.accept(envelope("hi")))()
    async with asyncio.timeout(60):
        await dispatcher.drained()
    async with impatient.begin() as tx:
        due = await tx.delivery.take_due(at=START, limit=10)
        assert [one.content for one in due] == [Text("re hi")]
        assert await tx.settings.get("try 1") is None
        assert await tx.settings.get("try 2") is True
        assert await tx.delivery.dead_letters(limit=5) == []


async def test_maintenance_may_take_as_long_as_it_takes(postgres_url: str) -> None:
    engine = open_engine(to_url(postgres_url), statement_timeout_s=0)
    try:
        async with engine.connect() as conn:
            shown = [
                await conn.scalar(text(f"SHOW {name}"))
                for name in ("statement_timeout", "lock_timeout")
            ]
    finally:
        await engine.dispose()
    assert shown == ["0", "0"]
